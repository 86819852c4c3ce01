// SPDX-License-Identifier: Apache-2.0
/**
 * The only home of native calls: memory that is mapped ({@code NativeMemory}), descriptors that another process has
 * sent ({@code Descriptor}), the Unix sockets they come through ({@code LocalSockets}), and what a disk's file needs
 * beyond a channel ({@code SparseFile}, {@code ImageLock}). What can be had without native calls has a second way here,
 * for programs that may make none.
 *
 * <p>Nothing here is exported but to modules of this product that need it. {@link org.virtio4j.vmm.HostMemory} is how
 * everybody else gets at memory.
 *
 * <p>Structures and numbers are those of Linux on x86-64 and aarch64. Every failure says its error number by name.
 */
@NullMarked
package org.virtio4j.vmm.os;

import org.jspecify.annotations.NullMarked;
