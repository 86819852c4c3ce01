// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

/**
 * Registers as bytes of which the guest can write some bits: how configuration space behaves where a write has no other
 * effect. Little-endian. Guarded by its owner's lock.
 */
final class RegisterBytes {

    private final byte[] bytes;
    private final byte[] writable;
    private byte[] initial;

    RegisterBytes(int size) {
        bytes = new byte[size];
        writable = new byte[size];
        initial = bytes.clone();
    }

    /** Whether a guest may access a register this way: 1, 2 or 4 bytes, aligned, inside. */
    boolean isAccess(long offset, int width) {
        return (width == Byte.BYTES || width == Short.BYTES || width == Integer.BYTES)
                && offset >= 0 && offset <= bytes.length - width && offset % width == 0;
    }

    /** Reads up to 4 bytes, zero-extended. */
    int get(long offset, int width) {
        int value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = (value << Byte.SIZE) | (bytes[(int) offset + i] & 0xff);
        }
        return value;
    }

    /** Sets up to 4 bytes, whether the guest can write them or not. */
    void set(long offset, int width, int value) {
        for (int i = 0; i < width; i++) {
            bytes[(int) offset + i] = (byte) (value >>> (i * Byte.SIZE));
        }
    }

    /** Lets the guest write some bits. */
    void allow(long offset, int width, int bits) {
        for (int i = 0; i < width; i++) {
            writable[(int) offset + i] = (byte) (bits >>> (i * Byte.SIZE));
        }
    }

    /** What a guest's write does. */
    void write(long offset, int width, int value) {
        for (int i = 0; i < width; i++) {
            int at = (int) offset + i;
            int written = value >>> (i * Byte.SIZE);
            bytes[at] = (byte) ((bytes[at] & ~writable[at]) | (written & writable[at]));
        }
    }

    /** Takes the present values for those of a reset. */
    void keepAsInitial() {
        initial = bytes.clone();
    }

    void reset() {
        System.arraycopy(initial, 0, bytes, 0, bytes.length);
    }
}
