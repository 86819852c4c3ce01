// SPDX-License-Identifier: Apache-2.0
/**
 * What the file of a disk needs beyond a {@code FileChannel}: giving parts back ({@code SparseFile}), locks that QEMU
 * respects ({@code ImageLock}), whether two names are one file ({@code FileIdentity}), and what Linux says of a block
 * device ({@code BlockDeviceInfo}). The last two make no native call.
 */
@NullMarked
package org.virtio4j.os.file;

import org.jspecify.annotations.NullMarked;
