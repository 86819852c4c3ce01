// SPDX-License-Identifier: Apache-2.0

/**
 * A QEMU that can be started, its command line, and the folder with the files of one run.
 */
@NullMarked
package org.virtio4j.harness.qemu;

import org.jspecify.annotations.NullMarked;
