// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.record;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A stream that outlives what becomes of its disk. */
@Timeout(60)
class DiskStreamTest {

    private static final int MEBIBYTE = 1 << 20;

    @Test
    void shouldWriteAllInOrder() {
        byte[] bytes = new byte[3 * MEBIBYTE];
        new Random(1).nextBytes(bytes);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DiskStream stream = new DiskStream(out, 2, Duration.ofMinutes(1));
        stream.write(bytes[0]);
        stream.write(bytes, 1, MEBIBYTE);
        stream.flush();
        stream.write(bytes, 1 + MEBIBYTE, bytes.length - 1 - MEBIBYTE);
        stream.close();
        assertArrayEquals(bytes, out.toByteArray());
        assertEquals(Optional.empty(), stream.failure());
    }

    @Test
    void shouldGoOnWhenTheDiskIsFull() {
        DiskStream stream = new DiskStream(new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException("No space left on device");
            }
        }, 2, Duration.ofMinutes(1));
        byte[] bytes = new byte[MEBIBYTE];
        stream.write(bytes, 0, 200_000);
        while (stream.failure().isEmpty()) {
            Thread.onSpinWait();
        }
        stream.write(bytes, 0, bytes.length);
        stream.close();
        assertEquals(Optional.of("No space left on device"), stream.failure());
    }

    @Test
    void shouldNotWaitForADiskThatDoesNotKeepUp() {
        CountDownLatch disk = new CountDownLatch(1);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DiskStream stream = new DiskStream(new OutputStream() {
            @Override
            public void write(int value) {
                throw new IllegalStateException("chunks are written");
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                try {
                    disk.await();
                } catch (InterruptedException unexpected) {
                    throw new IOException(unexpected);
                }
                out.write(bytes, offset, length);
            }
        }, 2, Duration.ofMillis(10));
        byte[] bytes = new byte[MEBIBYTE];
        Arrays.fill(bytes, (byte) 1);
        stream.write(bytes, 0, bytes.length);
        assertEquals(Optional.of("the disk does not keep up"), stream.failure());
        disk.countDown();
        stream.close();
        assertEquals(2 << 17, out.size());
    }
}
