// SPDX-License-Identifier: Apache-2.0

/**
 * What kind of guest is wanted, and why none can be had.
 */
@NullMarked
package org.virtio4j.harness.options;

import org.jspecify.annotations.NullMarked;
