// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.endpoint.DiskRequests.Range;

/** Section 5.2.6, DISCARD and WRITE_ZEROES. */
class BlockRangesTest extends BlockTests {

    private static final int SECTORS = 100;
    private static final int MANY = 4096;
    private static final int MOST_ZEROES = 1 << 13;
    private static final int MOST_RANGES = 64;

    @ParameterizedTest
    @ValueSource(ints = {0, DiskRequests.UNMAP})
    @DisplayName("5.2.6.2: after WRITE_ZEROES the ranges read as zeros, with UNMAP and without; nothing else changed")
    void shouldWriteZeroes(int flags) {
        BlockMachine machine = start(disk(1000 + MOST_ZEROES));
        byte[] expected = contents();
        Arrays.fill(expected, 3 * SECTOR, 4 * SECTOR, (byte) 0);
        Arrays.fill(expected, 1000 * SECTOR, (1000 + MOST_ZEROES) * SECTOR, (byte) 0);
        DiskReply reply = machine.send(DiskRequests.ranges(DiskRequests.WRITE_ZEROES, new Range(3, 1, flags),
                new Range(7, 0, flags), new Range(1000, MOST_ZEROES, flags)), 1);
        assertStatus(DiskRequests.S_OK, reply);
        assertEquals(1, reply.used());
        assertArrayEquals(expected, contents());
        byte[] read = machine.send(DiskRequests.in(2), 3 * SECTOR + 1).data();
        assertArrayEquals(Arrays.copyOfRange(expected, 2 * SECTOR, 5 * SECTOR), read);
    }

    @Test
    @DisplayName("5.2.6.2: DISCARD gives storage back; what was not named keeps its bytes, the file its length")
    void shouldGiveStorageBack() {
        BlockMachine machine = start(disk(2 * MANY));
        byte[] expected = contents();
        long before = storage();
        Arrays.fill(expected, 0, MANY * SECTOR, (byte) 0);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.ranges(DiskRequests.DISCARD,
                new Range(0, MANY - 8, 0), new Range(MANY - 8, 8, 0), new Range(2 * MANY, 0, 0)), 1));
        assertArrayEquals(expected, contents());
        assertTrue(storage() <= before - MANY * SECTOR, before + " before, " + storage() + " after");
    }

    @Test
    @DisplayName("5.2.6.2: WRITE_ZEROES with UNMAP gives storage back, and reads as zeros")
    void shouldGiveStorageBackForZeros() {
        BlockMachine machine = start(disk(2 * MANY));
        byte[] expected = contents();
        long before = storage();
        Arrays.fill(expected, MANY * SECTOR, 2 * MANY * SECTOR, (byte) 0);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.ranges(DiskRequests.WRITE_ZEROES,
                new Range(MANY, MANY, DiskRequests.UNMAP)), 1));
        assertArrayEquals(expected, contents());
        assertTrue(storage() <= before - MANY * SECTOR, before + " before, " + storage() + " after");
    }

    @Test
    @DisplayName("5.2.6.2: WRITE_ZEROES without UNMAP keeps the storage")
    void shouldKeepStorageForZeros() {
        BlockMachine machine = start(disk(2 * MANY));
        long before = storage();
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.ranges(DiskRequests.WRITE_ZEROES,
                new Range(0, 2 * MANY, 0)), 1));
        assertArrayEquals(new byte[2 * MANY * SECTOR], contents());
        assertEquals(before, storage());
    }

    @Test
    @DisplayName("5.2.6.2: without sparse files DISCARD leaves the sectors as they are, and zeros are written")
    void shouldDoWithoutGivingBack() {
        BlockMachine machine = start(disk(SECTORS, false));
        assertEquals(0, machine.config(56, 1), "write_zeroes_may_unmap");
        byte[] before = contents();
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.ranges(DiskRequests.DISCARD,
                new Range(0, SECTORS, 0), new Range(SECTORS, 0, 0)), 1));
        assertArrayEquals(before, contents());
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.ranges(DiskRequests.WRITE_ZEROES,
                new Range(0, SECTORS, DiskRequests.UNMAP)), 1));
        assertArrayEquals(new byte[SECTORS * SECTOR], contents());
    }

    /** Bytes that the file takes of its file system. */
    private long storage() {
        try {
            Process stat = new ProcessBuilder("stat", "-c", "%b", path().toString()).redirectErrorStream(true).start();
            return 512 * Long.parseLong(new String(stat.getInputStream().readAllBytes(), UTF_8).strip());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @ParameterizedTest
    @CsvSource({"11, 1", "11, 2", "11, 0x80000000", "13, 2", "13, 3", "13, 0x80000001"})
    @DisplayName("5.2.6.2: an unknown flag, and UNMAP in a DISCARD, get UNSUPP whatever else is wrong")
    void shouldNotSupportUnknownFlags(int type, String flags) {
        BlockMachine machine = start(disk(SECTORS));
        byte[] before = contents();
        int bits = Integer.parseUnsignedInt(flags.replace("0x", ""), flags.startsWith("0x") ? 16 : 10);
        assertStatus(DiskRequests.S_UNSUPP, machine.send(DiskRequests.ranges(type, new Range(0, 1, bits)), 1));
        assertStatus(DiskRequests.S_UNSUPP, machine.send(DiskRequests.ranges(type, new Range(0, 1, 0),
                new Range(SECTORS, -1, 0), new Range(1, 1, bits)), 1));
        assertOutcome(BlockOutcome.UNKNOWN_FLAG, 2);
        assertArrayEquals(before, contents());
    }

    @ParameterizedTest
    @CsvSource({"11, 17, 0", "11, 31, 0", "13, 17, 0", "13, 47, 1", "11, 1040, 0", "11, 1040, 64", "13, 1040, 64",
        "13, 1041, 64", "11, 65536, 4095"})
    @DisplayName("5.2.6.2: an unknown flag gets UNSUPP whatever the length and the number of ranges are")
    void shouldNotSupportUnknownFlagsOfAnyLength(int type, int length, int flagged) {
        BlockMachine machine = start(disk(SECTORS));
        byte[] before = contents();
        assertStatus(DiskRequests.S_UNSUPP, machine.send(flagged(type, length, flagged), 1));
        assertOutcome(BlockOutcome.UNKNOWN_FLAG, 1);
        assertArrayEquals(before, contents());
    }

    @ParameterizedTest
    @CsvSource({"11, 16", "11, 17", "11, 0", "11, 1040", "13, 16", "13, 17", "13, 0", "13, 1040"})
    @DisplayName("5.2.6.2: on a disk that cannot be written both types are unknown, whatever else is wrong")
    void shouldNotSupportEitherTypeOnAReadOnlyDisk(int type, int length) {
        BlockMachine machine = start(disk(SECTORS).readOnly());
        assertStatus(DiskRequests.S_UNSUPP, machine.send(flagged(type, length, 0), 1));
        assertStatus(DiskRequests.S_UNSUPP, machine.send(flagged(type, length, length), 1));
        assertOutcome(BlockOutcome.UNKNOWN_TYPE, 2);
        assertTrue(file().done.isEmpty());
    }

    @Test
    @DisplayName("5.2.6.2: flags that half a range at the end would have are not there to be wrong")
    void shouldNotTakeHalfARangeForItsFlags() {
        BlockMachine machine = start(disk(SECTORS));
        byte[] request = flagged(DiskRequests.DISCARD, 31, 1);
        request[request.length - 1] = 1;
        assertStatus(DiskRequests.S_IOERR, machine.send(request, 1));
        assertOutcome(BlockOutcome.BAD_LENGTH, 1);
    }

    /** Ranges of one sector each, cut at a length, one of them with a flag that nobody knows. */
    private static byte[] flagged(int type, int length, int flagged) {
        Range[] ranges = new Range[(length + 15) / 16];
        Arrays.fill(ranges, new Range(5, 1, 0));
        if (flagged < ranges.length) {
            ranges[flagged] = new Range(5, 1, 2);
        }
        return Arrays.copyOf(DiskRequests.ranges(type, ranges), DiskRequests.HEADER + length);
    }

    @ParameterizedTest
    @CsvSource({"13, 100, 1", "13, 99, 2", "13, -1, 1", "13, 9223372036854775807, 8000", "11, 100, 1",
        "11, 99, 2", "11, -1, 1", "11, -9223372036854775808, 1"})
    @DisplayName("5.2.6.1: a range beyond the capacity gets IOERR, and the ranges before it are left alone too")
    void shouldRefuseRangesBeyondTheEnd(int type, long sector, int count) {
        BlockMachine machine = start(disk(SECTORS));
        byte[] before = contents();
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.ranges(type, new Range(0, 8, 0),
                new Range(sector, count, 0)), 1));
        assertOutcome(BlockOutcome.OUT_OF_RANGE, 1);
        assertArrayEquals(before, contents());
    }

    @ParameterizedTest
    @CsvSource({"13, 8193", "13, -1", "11, 4194305", "11, -1"})
    @DisplayName("5.2.5: a range has at most as many sectors as the configuration says")
    void shouldRefuseRangesThatAreTooLong(int type, int count) {
        BlockMachine machine = start(disk(SECTORS));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.ranges(type, new Range(0, count, 0)), 1));
        assertOutcome(BlockOutcome.RANGE_TOO_LONG, 1);
        assertTrue(file().done.isEmpty());
    }

    @ParameterizedTest
    @ValueSource(ints = {DiskRequests.DISCARD, DiskRequests.WRITE_ZEROES})
    @DisplayName("5.2.6.1: a request has at most as many ranges as the configuration says")
    void shouldRefuseTooManyRanges(int type) {
        BlockMachine machine = start(disk(SECTORS));
        Range[] ranges = new Range[MOST_RANGES + 1];
        Arrays.fill(ranges, new Range(5, 1, 0));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.ranges(type, ranges), 1));
        assertOutcome(BlockOutcome.TOO_MANY_RANGES, 1);
        assertStatus(DiskRequests.S_OK,
                machine.send(DiskRequests.ranges(type, Arrays.copyOf(ranges, MOST_RANGES)), 1));
    }

    @ParameterizedTest
    @CsvSource({"11, 0", "11, 1", "11, 15", "11, 17", "13, 0", "13, 8", "13, 31"})
    @DisplayName("5.2.6.1: the data is a whole number of ranges, one at least")
    void shouldRefusePartsOfRanges(int type, int length) {
        BlockMachine machine = start(disk(SECTORS));
        byte[] request = Arrays.copyOf(DiskRequests.header(type, 0), DiskRequests.HEADER + length);
        assertStatus(DiskRequests.S_IOERR, machine.send(request, 1));
        assertOutcome(BlockOutcome.BAD_LENGTH, 1);
        assertTrue(file().done.isEmpty());
    }

    @Test
    @DisplayName("2.2.2: without its feature a type is not known")
    void shouldNotSupportWhatWasNotNegotiated() {
        BlockMachine machine = powerOn(disk(SECTORS));
        machine.start(machine.offered().without(DiskRequests.F_DISCARD).without(DiskRequests.F_WRITE_ZEROES));
        for (int type : new int[] {DiskRequests.DISCARD, DiskRequests.WRITE_ZEROES}) {
            assertStatus(DiskRequests.S_UNSUPP, machine.send(DiskRequests.ranges(type, new Range(0, 1, 0)), 1));
        }
        assertTrue(file().done.isEmpty());
    }
}
