// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class GzipInputTest {
    private static final int HEADER = 10;
    private static final int TRAILER = 8;

    @Test
    void shouldReadAllMembersWhenThereAreSeveral() throws IOException {
        byte[] trace = join(Traces.gzip(Traces.ascii("Z\nS ")), Traces.gzip(new byte[0]),
                Traces.gzip(Traces.ascii("15\nZ")));
        assertEquals(List.of("Z", "S 15", "Z"), Traces.events(trace));
    }

    @Test
    void shouldSkipNamesWhenTheHeaderHasThem() throws IOException {
        byte[] plain = Traces.gzip(Traces.ascii("Z\n"));
        byte[] optional = {2, 0, 'e', 'x', 'n', 'a', 'm', 'e', 0, 'c', 0};
        byte[] header = join(Arrays.copyOf(plain, HEADER), optional);
        header[3] = 4 | 8 | 16;
        byte[] body = Arrays.copyOfRange(plain, HEADER, plain.length);
        assertEquals(List.of("Z"), Traces.events(join(header, body)));
        header[3] |= 2;
        CRC32 checksum = new CRC32();
        checksum.update(header);
        byte[] stored = {(byte) checksum.getValue(), (byte) (checksum.getValue() >> 8)};
        assertEquals(List.of("Z"), Traces.events(join(header, stored, body)));
        stored[0]++;
        assertTrue(message(join(header, stored, body)).startsWith("t:1: expected gzip header checksum "));
    }

    @Test
    void shouldNameTheLineReachedWhenTheDataIsCutOff() throws IOException {
        byte[] whole = Traces.gzip(randomMaps(50_000));
        byte[] half = Arrays.copyOf(whole, whole.length / 2);
        try (TraceReader reader = Traces.reader(half)) {
            long lines = 0;
            TraceFormatException failure = null;
            while (failure == null) {
                try {
                    assertTrue(reader.next());
                    lines++;
                } catch (TraceFormatException cut) {
                    failure = cut;
                }
            }
            assertTrue(lines > 10_000, "lines=" + lines);
            assertEquals("t:" + (lines + 1) + ": expected more gzip data, found 'end of file'", failure.getMessage());
        }
    }

    @Test
    void shouldRefuseEveryPrefixWhenTheDataIsCutOffAnywhere() throws IOException {
        byte[] whole = Traces.gzip(Traces.ascii("Z\nS 0\nM 0 1000 1fff 7000 3 0\n"));
        for (int length = 2; length < whole.length; length++) {
            String message = message(Arrays.copyOf(whole, length));
            assertTrue(message.endsWith(": expected more gzip data, found 'end of file'"), message);
        }
    }

    @Test
    void shouldSayWhatIsWrongWhenTheDataIsDamaged() throws IOException {
        byte[] whole = Traces.gzip(Traces.ascii("Z\nZ\n"));
        assertEquals("t:1: expected gzip compression method 8, found '7'", message(changed(whole, 2, 7)));
        assertEquals("t:1: expected gzip header flags below 32, found '32'", message(changed(whole, 3, 32)));
        assertEquals("t:1: expected valid gzip data, found 'invalid block type'", message(changed(whole, HEADER, 7)));
        int checksum = whole.length - TRAILER;
        String message = message(changed(whole, checksum, whole[checksum] ^ 1));
        assertTrue(message.matches("t:3: expected gzip checksum [0-9a-f]{8}, found '[0-9a-f]{8}'"), message);
        assertEquals("t:3: expected gzip length 00000004, found '00000005'",
                message(changed(whole, whole.length - 4, 5)));
    }

    @Test
    void shouldRefuseWhatFollowsWhenItIsNotGzip() throws IOException {
        byte[] whole = Traces.gzip(Traces.ascii("Z\n"));
        assertEquals("t:2: expected the end of the file or another gzip member, found 'bytes 0000'",
                message(join(whole, new byte[2])));
        assertEquals("t:2: expected the end of the file or another gzip member, found 'bytes 5a0a'",
                message(join(whole, Traces.ascii("Z\n"))));
    }

    @Test
    void shouldNeverPassDamagedDataWhenOneBitIsFlipped() throws IOException {
        Random random = Traces.random("GzipInputTest");
        byte[] plain = randomMaps(200);
        byte[] whole = Traces.gzip(plain);
        List<String> events = Traces.events(plain);
        for (int round = 0; round < 300; round++) {
            int at = HEADER + random.nextInt(whole.length - HEADER);
            byte[] damaged = changed(whole, at, whole[at] ^ 1 << random.nextInt(8));
            try {
                assertEquals(events, Traces.events(damaged));
                assertFalse(Arrays.equals(whole, damaged));
            } catch (TraceFormatException expected) {
                assertTrue(expected.line() > 0);
            }
        }
    }

    private static byte[] randomMaps(int count) {
        Random random = new Random(7);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append("M 0 ").append(Long.toHexString(random.nextLong())).append(" fff 0 3 0\n");
        }
        return Traces.ascii(text.toString());
    }

    private static String message(byte[] trace) {
        return String.valueOf(
                assertThrows(TraceFormatException.class, () -> Traces.events(trace)).getMessage());
    }

    private static byte[] changed(byte[] source, int at, int value) {
        byte[] copy = source.clone();
        copy[at] = (byte) value;
        return copy;
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
