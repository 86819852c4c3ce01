// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.virtio4j.vmm.GuestMemory;

class GuestRamTest {

    private static final long START = 0x4000_0000L;
    private static final long PAGE = GuestMemory.PAGE_SIZE;

    private final GuestMemory memory = GuestMemory.anonymous(START, 64 * PAGE);
    private final GuestRam ram = new GuestRam(memory, START + PAGE, 32 * PAGE);

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @Test
    void shouldHandOutAlignedAddressesWhenAsked() {
        assertEquals(START + PAGE, ram.allocate(3, 1));
        assertEquals(START + PAGE + 4, ram.allocate(2, 4));
        assertEquals(START + PAGE + 16, ram.allocate(16, 16));
        assertEquals(START + 2 * PAGE, ram.allocate(1, PAGE));
        assertEquals(31 * PAGE - 1, ram.remaining());
    }

    @Test
    void shouldRefuseWhenTheRangeIsUsedUp() {
        ram.allocate(32 * PAGE, PAGE);
        assertThrows(IllegalStateException.class, () -> ram.allocate(1, 1));
        assertThrows(IllegalArgumentException.class, () -> ram.allocate(0, 1));
        assertThrows(IllegalArgumentException.class, () -> ram.allocate(1, 3));
        assertThrows(IllegalArgumentException.class, () -> new GuestRam(memory, -1L, 2));
    }

    @Test
    void shouldZeroABufferWhenItsMemoryWasUsedBefore() {
        ram.putI64(START + PAGE, -1);
        GuestBuffer buffer = ram.buffer(16, 16);
        assertEquals(0, buffer.i64(0));
        buffer.putI64(8, 0x0123_4567_89ab_cdefL);
        assertEquals(0x0123_4567_89ab_cdefL, ram.i64(buffer.address() + 8));
        assertEquals(0xef, ram.u8(buffer.address() + 8));
    }

    @Test
    void shouldPlaceEachPageOnceWhenPagesAreShuffled() {
        long deviceAddress = 0xffff_0010L;
        GuestBuffer buffer = ram.shuffled(deviceAddress, 10 * PAGE, new Random(5));
        long[] pages = LongStream.range(0, 11).map(i -> buffer.gpa(Math.max(0, i * PAGE - 0x10)) & -PAGE).toArray();
        long[] expected = LongStream.range(1, 12).map(i -> START + i * PAGE).toArray();

        assertEquals(deviceAddress, buffer.address());
        assertEquals(0x10, buffer.gpa(0) & (PAGE - 1), "the place in the page is kept");
        assertTrue(!Arrays.equals(expected, pages), "in order");
        Arrays.sort(pages);
        assertArrayEquals(expected, pages);
    }

    @Test
    void shouldAgreeWithTheMemoryBelowWhenABufferIsScattered() {
        Random random = Seed.random();
        GuestBuffer buffer = ram.shuffled(0x7008, 4 * PAGE, random);
        byte[] model = new byte[(int) buffer.length()];
        for (int i = 0; i < 20_000; i++) {
            int width = 1 << random.nextInt(4);
            int offset = place(random, model.length, width);
            long value = random.nextLong();
            store(buffer, offset, width, value);
            for (int k = 0; k < width; k++) {
                model[offset + k] = (byte) (value >>> (k * Byte.SIZE));
            }
            int readWidth = 1 << random.nextInt(4);
            int readOffset = place(random, model.length, readWidth);
            assertEquals(expected(model, readOffset, readWidth), load(buffer, readOffset, readWidth));
        }
        for (int i = 0; i < model.length; i++) {
            assertEquals(model[i] & 0xff, ram.u8(buffer.gpa(i)));
        }
    }

    @Test
    void shouldGoOverRegionsWhenAViewDoes() {
        memory.addAnonymous(START + 64 * PAGE, PAGE);
        GuestBuffer view = ram.view(START + 64 * PAGE - 3, 8);
        view.putI64(0, 0x0807_0605_0403_0201L);

        for (int i = 0; i < 8; i++) {
            assertEquals(i + 1, ram.u8(START + 64 * PAGE - 3 + i));
        }
        assertEquals(START + 64 * PAGE, view.gpa(3));
    }

    @Test
    void shouldRefuseABufferWhenThereIsNoRam() {
        memory.addDoorbell(0xfee0_0000L, 0x10_0000, (requester, address, data) -> { });
        assertThrows(IllegalArgumentException.class, () -> ram.view(0, 1));
        assertThrows(IllegalArgumentException.class, () -> ram.view(START + 63 * PAGE, PAGE + 1));
        assertThrows(IllegalArgumentException.class, () -> ram.view(0xfee0_0000L, 4));
        assertThrows(IllegalArgumentException.class, () -> ram.scattered(0, PAGE, new long[] {START + 1}));
        assertThrows(IllegalArgumentException.class, () -> ram.scattered(1, PAGE, new long[] {START}));
    }

    @Test
    void shouldRefuseAnAccessWhenItIsOutsideTheBuffer() {
        GuestBuffer buffer = ram.buffer(10, 16);
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.u8(10));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.i64(3));
        assertThrows(IndexOutOfBoundsException.class, () -> buffer.putI32(-1, 0));
        assertThrows(IllegalArgumentException.class, () -> buffer.u16Acquire(1));
    }

    @Test
    void shouldCopyAndFillWhenAskedInBulk() {
        GuestBuffer buffer = ram.shuffled(0x0fff, 30, new Random(1));
        buffer.fill(0, 30, 0xa5);
        buffer.write(3, new byte[] {0, 1, 2, 3, 4}, 1, 3);
        byte[] read = new byte[6];
        buffer.read(2, read, 1, 5);

        assertArrayEquals(new byte[] {0, (byte) 0xa5, 1, 2, 3, (byte) 0xa5}, read);
        assertEquals(0xa5, buffer.u8(29));
    }

    private static int place(Random random, int length, int width) {
        int nearPage = (int) (PAGE * random.nextInt(4) - 0x08 + random.nextInt(-8, 8));
        int place = random.nextBoolean() ? random.nextInt(length) : nearPage;
        return Math.clamp(place, 0, length - width);
    }

    private static void store(GuestBuffer buffer, long offset, int width, long value) {
        switch (width) {
            case 1 -> buffer.putU8(offset, (int) value);
            case 2 -> buffer.putU16(offset, (int) value);
            case 4 -> buffer.putI32(offset, (int) value);
            default -> buffer.putI64(offset, value);
        }
    }

    private static long load(GuestBuffer buffer, long offset, int width) {
        return switch (width) {
            case 1 -> buffer.u8(offset);
            case 2 -> buffer.u16(offset);
            case 4 -> buffer.u32(offset);
            default -> buffer.i64(offset);
        };
    }

    private static long expected(byte[] model, int offset, int width) {
        long value = 0;
        for (int k = width - 1; k >= 0; k--) {
            value = (value << Byte.SIZE) | (model[offset + k] & 0xff);
        }
        return value;
    }
}
