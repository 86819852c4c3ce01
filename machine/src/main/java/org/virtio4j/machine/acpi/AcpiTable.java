// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.acpi;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.virtio4j.wire.acpi.AcpiHeader;

/** A table that is being written: little-endian, with the header that all tables of ACPI have. */
final class AcpiTable {

    private static final String OEM = "VIRTIO";
    private static final String OEM_TABLE = "VIRTIO4J";
    private static final String CREATOR = "V4J ";
    private static final int FIRST_REVISION = 1;

    private final byte[] bytes;
    private final ByteBuffer words;

    /** Zeros of a table's length in bytes, the header included. */
    AcpiTable(long length) {
        bytes = new byte[Math.toIntExact(length)];
        words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    void put1(long at, int value) {
        words.put(Math.toIntExact(at), (byte) value);
    }

    void put2(long at, int value) {
        words.putShort(Math.toIntExact(at), (short) value);
    }

    void put4(long at, int value) {
        words.putInt(Math.toIntExact(at), value);
    }

    void put8(long at, long value) {
        words.putLong(Math.toIntExact(at), value);
    }

    void put(long at, byte[] value) {
        words.put(Math.toIntExact(at), value);
    }

    /** Completes the header and returns all bytes. */
    byte[] finish(String signature, int revision) {
        putLetters(AcpiHeader.SIGNATURE, signature);
        put4(AcpiHeader.LENGTH, bytes.length);
        put1(AcpiHeader.REVISION, revision);
        putLetters(AcpiHeader.OEM_ID, OEM);
        putLetters(AcpiHeader.OEM_TABLE_ID, OEM_TABLE);
        put4(AcpiHeader.OEM_REVISION, FIRST_REVISION);
        putLetters(AcpiHeader.CREATOR_ID, CREATOR);
        put4(AcpiHeader.CREATOR_REVISION, FIRST_REVISION);
        put1(AcpiHeader.CHECKSUM, -sum());
        return bytes;
    }

    private void putLetters(long at, String letters) {
        put(at, letters.getBytes(StandardCharsets.US_ASCII));
    }

    private int sum() {
        int sum = 0;
        for (byte each : bytes) {
            sum += each;
        }
        return sum;
    }
}
