// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The one place that names a memory layout: little-endian reads and writes of a {@link MemorySegment}, which is how
 * every structure of the virtio specification lies in memory (virtio 1.4, section 1.4).
 *
 * <p>All offsets are bytes from the start of the segment. There are two families:
 *
 * <ul>
 * <li><b>Plain</b> accessors ({@link #u16}, {@link #putI64}, …) work at any offset, promise no order and no atomicity,
 *     and are the cheapest. They are for data that somebody else has already published, or that one will publish later.
 * <li><b>Ordered</b> accessors ({@link #u16Acquire}, {@link #putI32Release}, …) need an offset whose address is a
 *     multiple of the width, never tear, and pair up: a thread that sees the value of a release store through an
 *     acquire load sees everything that was written before the store. A misaligned offset throws {@link
 *     IllegalArgumentException}, so addresses that a guest chose are checked before they come here.
 * </ul>
 *
 * <p>Every method throws {@link IndexOutOfBoundsException} outside the segment and {@link IllegalStateException} when
 * the segment's arena is closed; neither is reachable by a guest. Any thread may call any of them. All are of a kind
 * that the JVM survives when memory is cut short, see {@link org.virtio4j.vmm}; no others may be added without a trial.
 */
public final class LittleEndian {

    // Handles, and not the accessors of MemorySegment, which are one call deeper: the compiler inlines 15 levels deep,
    // half of which are the library's own. Exact ones make an int offset, which would be converted on a path seven
    // times slower, an error at the first call.
    private static final VarHandle BYTE = handle(ValueLayout.JAVA_BYTE);
    private static final VarHandle SHORT = handle(ValueLayout.JAVA_SHORT_UNALIGNED);
    private static final VarHandle INT = handle(ValueLayout.JAVA_INT_UNALIGNED);
    private static final VarHandle LONG = handle(ValueLayout.JAVA_LONG_UNALIGNED);
    private static final VarHandle ALIGNED_SHORT = handle(ValueLayout.JAVA_SHORT);
    private static final VarHandle ALIGNED_INT = handle(ValueLayout.JAVA_INT);
    private static final VarHandle ALIGNED_LONG = handle(ValueLayout.JAVA_LONG);

    /**
     * On x86 the JVM's interpreter makes an exchange of an ordered 16-bit store, and that ends the process if the
     * memory is of a file that has no bytes there any more. There a fence and a plain store are the same to the
     * processor.
     */
    private static final boolean SHORT_RELEASE_IS_SAFE = !isX86(System.getProperty("os.arch", ""));

    private LittleEndian() {
    }

    private static boolean isX86(String architecture) {
        return architecture.equals("amd64") || architecture.equals("x86_64");
    }

    private static VarHandle handle(ValueLayout layout) {
        return layout.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle().withInvokeExactBehavior();
    }

    /**
     * Reads an unsigned byte.
     *
     * @param segment where to read
     * @param offset  in bytes
     * @return 0 to 255
     */
    public static int u8(MemorySegment segment, long offset) {
        return (byte) BYTE.get(segment, offset) & 0xff;
    }

    /**
     * Reads an unsigned 16-bit value.
     *
     * @param segment where to read
     * @param offset  in bytes, of any alignment
     * @return 0 to 65,535
     */
    public static int u16(MemorySegment segment, long offset) {
        return (short) SHORT.get(segment, offset) & 0xffff;
    }

    /**
     * Reads 32 bits.
     *
     * @param segment where to read
     * @param offset  in bytes, of any alignment
     * @return the bits; for an unsigned field see {@link #u32}. Of guest memory never made a {@code long} at once, see
     *         {@link org.virtio4j.vmm}
     */
    public static int i32(MemorySegment segment, long offset) {
        return (int) INT.get(segment, offset);
    }

    /**
     * Reads an unsigned 32-bit value.
     *
     * @param segment where to read
     * @param offset  in bytes, of any alignment
     * @return 0 to 4,294,967,295
     */
    public static long u32(MemorySegment segment, long offset) {
        return Integer.toUnsignedLong((int) INT.get(segment, offset));
    }

    /**
     * Reads 64 bits, not atomically.
     *
     * @param segment where to read
     * @param offset  in bytes, of any alignment
     * @return the bits; an unsigned field is compared with {@link Long#compareUnsigned}
     */
    public static long i64(MemorySegment segment, long offset) {
        return (long) LONG.get(segment, offset);
    }

    /**
     * Writes the low 8 bits.
     *
     * @param segment where to write
     * @param offset  in bytes
     * @param value   its low byte counts
     */
    public static void putU8(MemorySegment segment, long offset, int value) {
        BYTE.set(segment, offset, (byte) value);
    }

    /**
     * Writes the low 16 bits.
     *
     * @param segment where to write
     * @param offset  in bytes, of any alignment
     * @param value   its low 16 bits count
     */
    public static void putU16(MemorySegment segment, long offset, int value) {
        SHORT.set(segment, offset, (short) value);
    }

    /**
     * Writes 32 bits.
     *
     * @param segment where to write
     * @param offset  in bytes, of any alignment
     * @param value   the bits
     */
    public static void putI32(MemorySegment segment, long offset, int value) {
        INT.set(segment, offset, value);
    }

    /**
     * Writes 64 bits, not atomically.
     *
     * @param segment where to write
     * @param offset  in bytes, of any alignment
     * @param value   the bits
     */
    public static void putI64(MemorySegment segment, long offset, long value) {
        LONG.set(segment, offset, value);
    }

    /**
     * Reads an unsigned 16-bit value; no later access moves before it. Pairs with {@link #putU16Release}.
     *
     * @param segment where to read
     * @param offset  in bytes, 2-byte aligned
     * @return 0 to 65,535
     */
    public static int u16Acquire(MemorySegment segment, long offset) {
        return (short) ALIGNED_SHORT.getAcquire(segment, offset) & 0xffff;
    }

    /**
     * Writes the low 16 bits; no earlier access moves after it. Pairs with {@link #u16Acquire}.
     *
     * @param segment where to write
     * @param offset  in bytes, 2-byte aligned
     * @param value   its low 16 bits count
     */
    public static void putU16Release(MemorySegment segment, long offset, int value) {
        if (SHORT_RELEASE_IS_SAFE) {
            ALIGNED_SHORT.setRelease(segment, offset, (short) value);
        } else {
            VarHandle.releaseFence();
            ALIGNED_SHORT.set(segment, offset, (short) value);
        }
    }

    /**
     * Reads 32 bits; no later access moves before it. Pairs with {@link #putI32Release}.
     *
     * @param segment where to read
     * @param offset  in bytes, 4-byte aligned
     * @return the bits
     */
    public static int i32Acquire(MemorySegment segment, long offset) {
        return (int) ALIGNED_INT.getAcquire(segment, offset);
    }

    /**
     * Writes 32 bits; no earlier access moves after it. Pairs with {@link #i32Acquire}.
     *
     * @param segment where to write
     * @param offset  in bytes, 4-byte aligned
     * @param value   the bits
     */
    public static void putI32Release(MemorySegment segment, long offset, int value) {
        ALIGNED_INT.setRelease(segment, offset, value);
    }

    /**
     * Reads 64 bits at once; no later access moves before it. Pairs with {@link #putI64Release}.
     *
     * @param segment where to read
     * @param offset  in bytes, 8-byte aligned
     * @return the bits
     */
    public static long i64Acquire(MemorySegment segment, long offset) {
        return (long) ALIGNED_LONG.getAcquire(segment, offset);
    }

    /**
     * Writes 64 bits at once; no earlier access moves after it. Pairs with {@link #i64Acquire}.
     *
     * @param segment where to write
     * @param offset  in bytes, 8-byte aligned
     * @param value   the bits
     */
    public static void putI64Release(MemorySegment segment, long offset, long value) {
        ALIGNED_LONG.setRelease(segment, offset, value);
    }
}
