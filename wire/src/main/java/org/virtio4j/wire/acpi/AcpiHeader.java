// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.acpi;

/**
 * Beginning of each table of ACPI (ACPI 6.5, section 5.2.6, System Description Table Header).
 *
 * <pre>
 *       byte 0               4                8          9
 *    0 +--------------------+----------------+----------+----------+----------------+
 *      | signature          | length         | revision | checksum | OEM identifier |
 *   16 +--------------------+----------------+----------+----------+----------------+
 *      | OEM identifier of the table         | OEM revision        | creator        |
 *   32 +--------------------+----------------+---------------------+----------------+
 *      | creator's revision |
 *   36 +--------------------+
 * </pre>
 */
public final class AcpiHeader {
    /** Offset of the 4 letters that name the kind of table. */
    public static final long SIGNATURE = 0;
    /** Offset of the 4-byte length of the whole table in bytes. */
    public static final long LENGTH = 4;
    /** Offset of the revision, a byte. */
    public static final long REVISION = 8;
    /** Offset of the byte that makes the sum of all bytes of the table 0. */
    public static final long CHECKSUM = 9;
    /** Offset of 6 letters that name who made the machine. */
    public static final long OEM_ID = 10;
    /** Offset of 8 letters that tell tables of one kind and maker from one another. */
    public static final long OEM_TABLE_ID = 16;
    /** Offset of the 4-byte revision of the maker. */
    public static final long OEM_REVISION = 24;
    /** Offset of 4 letters that name the program which made the table. */
    public static final long CREATOR_ID = 28;
    /** Offset of the 4-byte revision of that program. */
    public static final long CREATOR_REVISION = 32;
    /** Bytes of the header. */
    public static final long SIZE = 36;

    private AcpiHeader() {
    }
}
