// SPDX-License-Identifier: Apache-2.0
/**
 * Guest memory, registers and interrupts: what a device and its hypervisor share.
 *
 * <p>{@link org.virtio4j.vmm.GuestMemory} is what the guest's physical addresses mean: {@linkplain
 * org.virtio4j.vmm.MemoryRegion regions} of RAM, ROM and doorbells, in an immutable {@link org.virtio4j.vmm.RegionMap}
 * that a change replaces. A device does not see it directly, but through the DMA spaces of {@code org.virtio4j.dma}.
 * Removing a region waits until no device uses it, see {@link org.virtio4j.vmm.grace}. {@link
 * org.virtio4j.vmm.DirtyLog} says which pages devices have written, for migration.
 *
 * <p>Around that stand the small interfaces between device and hypervisor: {@link org.virtio4j.vmm.RegisterHandler} for
 * register accesses, {@link org.virtio4j.vmm.InterruptSink}, {@link org.virtio4j.vmm.InterruptLine} and
 * {@link org.virtio4j.vmm.MessageSink} for interrupts. {@link org.virtio4j.vmm.LittleEndian} is the only way a
 * structure in memory is read or written.
 *
 * <h2>Memory that somebody cuts short</h2>
 *
 * <p>A region may be a file that another process shortens, or one on a full {@code tmpfs}, or huge pages of which there
 * are none left: the processor then refuses an access that is in order (SIGBUS). The JVM makes an {@link InternalError}
 * of it for some accesses, and ends the process for others. So guest memory is touched in few ways. Tried with JDK 25
 * on x86-64, interpreted, with C1 and with C2:
 *
 * <table>
 * <caption>What an access comes to when the memory is gone</caption>
 * <tr><th>access</th><th>is</th></tr>
 * <tr><td>plain loads and stores of 8 to 64 bits, aligned or not, and of swapped bytes</td><td>an error</td></tr>
 * <tr><td>opaque, acquire and volatile loads; such stores of 32 and 64 bits</td><td>an error</td></tr>
 * <tr><td>{@code MemorySegment.copy} of any size, with arrays and byte order too; {@code fill}; bulk methods of
 * buffers; loops over all that, vectors or not</td><td>an error</td></tr>
 * <tr><td>system calls that get the memory as a buffer: {@code FileChannel}, {@code pread}, {@code pwrite}</td>
 * <td>EFAULT, as an {@link java.io.IOException} or an error number</td></tr>
 * <tr><td><b>opaque, release and volatile stores of 8 and 16 bits</b></td><td>the process's end, interpreted</td></tr>
 * <tr><td><b>all atomic updates: compareAndSet, getAndAdd, getAndSet</b></td>
 * <td>the end, now and then, in every way</td></tr>
 * <tr><td><b>an int that is loaded and made a long with its sign</b></td><td>the end, with C2</td></tr>
 * <tr><td><b>{@code mismatch} and {@code equals} of buffers</b></td><td>the end, with C1</td></tr>
 * <tr><td><b>CRC32, CRC32C, Adler32, Deflater and any native code</b></td><td>the end</td></tr>
 * </table>
 *
 * <p>The reasons lie in the JVM: for a fault in compiled code it must know how long the instruction is, and knows
 * that of the common ones alone. Its own stubs and native methods are prepared for a fault only where they were written
 * to be.
 *
 * <p><b>The error comes late.</b> Compiled code goes on behind the access, with whatever the register holds, and throws
 * at its next safepoint. That is often two methods further out, and may be in a {@code finally}. So {@code
 * DmaHandle.leave} makes it come out, and the section is the last place where it does: no lock is given back half, and
 * no file gets what was never read. What a section has found counts only once it was left. {@link
 * org.virtio4j.vmm.LittleEndian} and {@code DmaHandle} keep to the accesses above; a test forbids the others elsewhere.
 */
@NullMarked
package org.virtio4j.vmm;

import org.jspecify.annotations.NullMarked;
