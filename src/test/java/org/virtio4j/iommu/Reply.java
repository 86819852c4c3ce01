// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;

/** What the driver finds when a request is back: the used length, and its whole writable part. */
final class Reply {

    /** What every byte of a writable part is before the device gets it. */
    static final byte UNTOUCHED = (byte) 0xa5;

    private final long usedLength;
    private final byte[] writable;

    Reply(long usedLength, byte[] writable) {
        this.usedLength = usedLength;
        this.writable = writable;
    }

    long usedLength() {
        return usedLength;
    }

    byte[] writable() {
        return writable;
    }

    /** As a driver finds it: in the tail, which is the last four bytes that were used. */
    int status() {
        return usedLength < Spec.TAIL ? Spec.UNANSWERED : writable[(int) usedLength - Spec.TAIL];
    }

    /** The status is at the start of the writable part and nothing else was touched; that is all but for PROBE. */
    static void assertStatus(int status, Reply reply) {
        byte[] expected = untouched(reply.writable.length);
        Arrays.fill(expected, 0, Spec.TAIL, (byte) 0);
        expected[0] = (byte) status;
        assertEquals("used 4 bytes, status " + status, "used " + reply.usedLength + " bytes, status " + reply.status());
        assertArrayEquals(expected, reply.writable);
    }

    /** No byte was written, and the used length says so. */
    static void assertUnanswered(Reply reply) {
        assertEquals(0, reply.usedLength);
        assertArrayEquals(untouched(reply.writable.length), reply.writable);
    }

    /** Properties, the tail behind them, and nothing more. */
    static void assertWritten(byte[] properties, int status, Reply reply) {
        byte[] expected = untouched(reply.writable.length);
        System.arraycopy(properties, 0, expected, 0, properties.length);
        Arrays.fill(expected, properties.length, properties.length + Spec.TAIL, (byte) 0);
        expected[properties.length] = (byte) status;
        assertEquals(properties.length + Spec.TAIL, reply.usedLength);
        assertArrayEquals(expected, reply.writable);
    }

    private static byte[] untouched(int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, UNTOUCHED);
        return bytes;
    }

    @Override
    public String toString() {
        return "used " + usedLength + " of " + Arrays.toString(writable);
    }
}
