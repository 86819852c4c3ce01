// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.acpi;

/**
 * The few words of the ACPI Machine Language that describe a device (ACPI 6.5, chapter 20; resource descriptors:
 * section 6.4).
 *
 * <pre>
 *   scope     0x10       length  name  objects
 *   device    0x5b 0x82  length  name  objects
 *   name      0x08       name  value
 *   string    0x0d       characters  0
 *   buffer    0x11       length  size  bytes
 *   integers  0x00 and 0x01 stand for themselves; 0x0a, 0x0b, 0x0c and 0x0e precede 1, 2, 4 and 8 bytes
 * </pre>
 */
public final class Aml {
    /** The number 0. */
    public static final int ZERO = 0x00;
    /** The number 1. */
    public static final int ONE = 0x01;
    /** Begins a named object. */
    public static final int NAME = 0x08;
    /** Begins a number of 1 byte. */
    public static final int BYTE = 0x0a;
    /** Begins a number of 2 bytes. */
    public static final int WORD = 0x0b;
    /** Begins a number of 4 bytes. */
    public static final int DOUBLE_WORD = 0x0c;
    /** Begins a string, which ends in 0. */
    public static final int STRING = 0x0d;
    /** Begins a scope. */
    public static final int SCOPE = 0x10;
    /** Begins a buffer. */
    public static final int BUFFER = 0x11;
    /** Begins a word of two bytes. */
    public static final int EXTENDED = 0x5b;
    /** Second byte of a word: begins a device. */
    public static final int DEVICE = 0x82;

    /** Resource: a window below 4 GiB, section 6.4.3.4. */
    public static final int MEMORY_32_FIXED = 0x86;
    /** Resource: interrupts, section 6.4.3.6. */
    public static final int EXTENDED_INTERRUPT = 0x89;
    /** Resource: a window anywhere, section 6.4.3.5.1. */
    public static final int QUAD_WORD_SPACE = 0x8a;
    /** Resource: the end of the list, and its checksum; a checksum of 0 counts as right, section 6.4.2.9. */
    public static final int END_TAG = 0x79;

    /** A window that is read and written. */
    public static final int READ_WRITE = 1;
    /** Of an interrupt: the device consumes it, and it is level-triggered, high and not shared. */
    public static final int CONSUMER = 1;
    /** Of a window anywhere: it is memory. */
    public static final int SPACE_MEMORY = 0;
    /** Of a window anywhere: the device consumes it, and both its ends are fixed. */
    public static final int SPACE_FIXED = 0x0d;

    private Aml() {
    }
}
