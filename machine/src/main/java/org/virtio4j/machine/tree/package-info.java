// SPDX-License-Identifier: Apache-2.0

/** Device trees. */
@NullMarked
package org.virtio4j.machine.tree;

import org.jspecify.annotations.NullMarked;
