// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.dma.TableTranslator.BOTH;
import static org.virtio4j.dma.TableTranslator.READ;
import static org.virtio4j.dma.TableTranslator.WRITE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;

/** What a buffer turns out to be: pieces of regions, or a result that says why it is not there. */
class DmaAccessTest {

    private static final long PAGE = GuestMemory.PAGE_SIZE;

    private final GuestMemory memory = new GuestMemory();
    private final TableTranslator table = new TableTranslator();
    private final DmaHandle identity = DmaSpace.identity(memory).open("identity");
    private final DmaHandle translated = DmaSpace.of(memory, table).open("translated");
    private final DmaCursor cursor = new DmaCursor();
    private final MemorySegment host = Arena.ofAuto().allocate(DmaHandle.MAX_BYTES + 64, 8);

    /** A piece, by the start of its region. */
    private record Piece(long region, long offset, long length) {
    }

    @AfterEach
    void close() {
        ParkedReader.leaveIfInside(identity);
        ParkedReader.leaveIfInside(translated);
        memory.close();
    }

    @Test
    void shouldBeOnePieceInsideARegion() {
        MemoryRegion region = memory.addAnonymous(0x10000, 4 * PAGE);
        assertPieces(identity, 0x10ffe, 4, new Piece(0x10000, 0xffe, 4));
        identity.enter();
        assertEquals(DmaResult.OK, identity.access(0x10ffe, 4, Access.WRITE, cursor));
        assertTrue(cursor.next());
        assertSame(region, cursor.region());
        assertSame(region.segment(), cursor.segment());
        assertFalse(cursor.next());
        assertFalse(cursor.next());
        identity.leave();
    }

    @Test
    void shouldBeCutWhereOneRegionEndsAndTheNextBegins() {
        memory.addAnonymous(0, PAGE);
        memory.addAnonymous(PAGE, PAGE);
        memory.addAnonymous(2 * PAGE, PAGE);
        assertPieces(identity, PAGE - 3, PAGE + 10, new Piece(0, PAGE - 3, 3), new Piece(PAGE, 0, PAGE),
                new Piece(2 * PAGE, 0, 7));
    }

    @Test
    void shouldEndExactlyWithTheRam() {
        memory.addAnonymous(PAGE, 2 * PAGE);
        assertPieces(identity, 3 * PAGE - 16, 16, new Piece(PAGE, 2 * PAGE - 16, 16));
        assertResult(DmaResult.BUS_ERROR, identity, 3 * PAGE - 16, 17, Access.READ);
        assertResult(DmaResult.BUS_ERROR, identity, 3 * PAGE, 1, Access.READ);
        assertResult(DmaResult.BUS_ERROR, identity, PAGE - 1, 2, Access.READ);
    }

    @Test
    void shouldReachTheLastByteOfTheAddressSpaceAndNotWrapBehindIt() {
        memory.addAnonymous(-PAGE, PAGE);
        memory.addAnonymous(0, PAGE);
        assertPieces(identity, -8, 8, new Piece(-PAGE, PAGE - 8, 8));
        assertResult(DmaResult.BUS_ERROR, identity, -8, 9, Access.READ);
        assertResult(DmaResult.BUS_ERROR, identity, -PAGE, DmaHandle.MAX_BYTES, Access.WRITE);
    }

    @Test
    void shouldNotWrapInTheFastPathOfACopyEither() {
        memory.addAnonymous(-PAGE, PAGE);
        memory.addAnonymous(0, PAGE);
        identity.enter();
        assertEquals(DmaResult.OK, identity.read(-PAGE, host, 0, 8));
        assertEquals(DmaResult.OK, identity.read(-8, host, 0, 8));
        assertEquals(DmaResult.BUS_ERROR, identity.read(-8, host, 0, 9));
        assertEquals(DmaResult.BUS_ERROR, identity.write(-1, host, 0, 2));
        identity.leave();
    }

    @Test
    void shouldBeEmptyWhenTheLengthIsZero() {
        assertResult(DmaResult.OK, identity, 0x1234, 0, Access.WRITE);
        assertResult(DmaResult.OK, translated, 0x1234, 0, Access.WRITE);
        assertEquals(0, table.translations(), "nothing is looked at");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, Long.MIN_VALUE, DmaHandle.MAX_BYTES + 1, Long.MAX_VALUE})
    void shouldRefuseALengthThatIsNoSectionsWork(long length) {
        memory.addAnonymous(0, 32 * PAGE);
        identity.enter();
        assertEquals(DmaResult.OK, identity.read(0, host, 0, 1), "also when the fast path is open");
        for (int i = 0; i < 3; i++) {
            int call = i;
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> {
                switch (call) {
                    case 0 -> identity.access(0, length, Access.READ, cursor);
                    case 1 -> identity.read(0, host, 0, length);
                    default -> identity.write(0, host, 0, length);
                }
            });
            assertTrue(String.valueOf(refused.getMessage()).contains("length=" + length), refused.getMessage());
        }
        identity.leave();
    }

    @Test
    void shouldTakeTheLargestLengthInPiecesOfPages() {
        // 17 pages, each somewhere else: more pieces than a cursor of identity memory ever has.
        memory.addAnonymous(0, 64 * PAGE);
        for (long page = 0; page < 17; page++) {
            table.map(page * PAGE, page * PAGE + PAGE - 1, (60 - 3 * page) * PAGE, BOTH);
        }
        List<Piece> pieces = pieces(translated, 1, DmaHandle.MAX_BYTES);
        assertEquals(17, pieces.size());
        assertEquals(new Piece(0, 60 * PAGE + 1, PAGE - 1), pieces.get(0));
        assertEquals(new Piece(0, 12 * PAGE, 1), pieces.get(16));
    }

    @Test
    void shouldGrowTheCursorWhenExtentsAndRegionsCutManyPieces() {
        // A hostile translator may cut as finely as it likes: each byte of 200 is an extent of its own.
        memory.addAnonymous(0, PAGE);
        for (long i = 0; i < 200; i++) {
            table.map(i, i, 400 - 2 * i, BOTH);
        }
        List<Piece> pieces = pieces(translated, 0, 200);
        assertEquals(200, pieces.size());
        for (int i = 0; i < 200; i++) {
            assertEquals(new Piece(0, 400 - 2 * i, 1), pieces.get(i));
        }
    }

    @Test
    void shouldBeCutByExtentsAndRegionsWhicheverEndsFirst() {
        memory.addAnonymous(0, PAGE);
        memory.addAnonymous(PAGE, 3 * PAGE);
        table.map(0x100000, 0x102fff, 0, BOTH);
        table.map(0x103000, 0x103fff, 2 * PAGE, BOTH);
        assertPieces(translated, 0x100800, 0x3000, new Piece(0, 0x800, 0x800), new Piece(PAGE, 0, 2 * PAGE),
                new Piece(PAGE, PAGE, 0x800));
        assertEquals(2, table.translations(), "an extent is asked for once, however many regions it spans");
    }

    @Test
    void shouldUnderstandAnExtentOfTheWholeSpace() {
        memory.addAnonymous(-2 * PAGE, 2 * PAGE);
        memory.addAnonymous(0, PAGE);
        memory.addAnonymous(-4 * PAGE, 2 * PAGE);
        table.map(0, -1, 0, BOTH);
        assertPieces(translated, -2 * PAGE - 4, 12, new Piece(-4 * PAGE, 2 * PAGE - 4, 4), new Piece(-2 * PAGE, 0, 8));
        assertEquals(1, table.translations());
        assertPieces(translated, -PAGE - 4, 12, new Piece(-2 * PAGE, PAGE - 4, 12));
        assertPieces(translated, 0, PAGE, new Piece(0, 0, PAGE));
        assertResult(DmaResult.BUS_ERROR, translated, -4, 8, Access.READ);
        assertResult(DmaResult.BUS_ERROR, translated, PAGE, 1, Access.READ);
    }

    @Test
    void shouldUnderstandAWholeSpaceThatIsTurnedRound() {
        // [0, 2^64 - 1] that means addresses from 2^63 on: the physical side wraps inside the extent.
        memory.addAnonymous(0x8000_0000_0000_0000L, PAGE);
        memory.addAnonymous(0, PAGE);
        table.map(0, -1, 0x8000_0000_0000_0000L, BOTH);
        assertPieces(translated, 8, 8, new Piece(0x8000_0000_0000_0000L, 8, 8));
        assertPieces(translated, 0x8000_0000_0000_0008L, 8, new Piece(0, 8, 8));
    }

    @ParameterizedTest
    @EnumSource(Access.class)
    void shouldLetThroughWhatThePermissionsSay(Access access) {
        memory.addAnonymous(0, PAGE);
        table.map(0x1000, 0x1fff, 0, READ).map(0x2000, 0x2fff, 0, WRITE).map(0x3000, 0x3fff, 0, 0);
        assertResult(access == Access.READ ? DmaResult.OK : DmaResult.FAULT, translated, 0x1000, 1, access);
        assertResult(access == Access.WRITE ? DmaResult.OK : DmaResult.FAULT, translated, 0x2000, 1, access);
        assertResult(DmaResult.FAULT, translated, 0x3000, 1, access);
    }

    @Test
    void shouldNotReuseAnExtentForAnAccessItDoesNotPermit() {
        memory.addAnonymous(0, PAGE);
        table.map(0x1000, 0x1fff, 0, READ);
        translated.enter();
        assertEquals(DmaResult.OK, translated.access(0x1000, 8, Access.READ, cursor));
        assertEquals(DmaResult.FAULT, translated.access(0x1000, 8, Access.WRITE, cursor));
        assertEquals(DmaResult.OK, translated.read(0x1000, host, 0, 8));
        assertEquals(DmaResult.FAULT, translated.write(0x1000, host, 0, 8));
        translated.leave();
    }

    @Test
    void shouldLeaveRomUnwrittenAndDoorbellsAlone() {
        MemorySegment rom = Arena.ofAuto().allocate(PAGE, 16);
        rom.fill((byte) 7);
        memory.add(0, rom, RegionKind.ROM, () -> { });
        memory.addDoorbell(PAGE, PAGE, (requester, address, data) -> {
            throw new AssertionError("called inside a section");
        });
        assertResult(DmaResult.OK, identity, 0, 8, Access.READ);
        assertResult(DmaResult.BUS_ERROR, identity, 0, 8, Access.WRITE);
        assertResult(DmaResult.BUS_ERROR, identity, PAGE, 4, Access.READ);
        assertResult(DmaResult.BUS_ERROR, identity, PAGE, 4, Access.WRITE);
        assertResult(DmaResult.BUS_ERROR, identity, PAGE - 4, 8, Access.READ);
        identity.enter();
        assertEquals(DmaResult.OK, identity.read(0, host, 0, 8));
        assertEquals(DmaResult.BUS_ERROR, identity.write(0, host, 0, 8), "also when the fast path is open");
        identity.leave();
        assertEquals(7, LittleEndian.u8(rom, 0));
    }

    @Test
    void shouldCopyAllOrNothing() {
        memory.addAnonymous(0, 2 * PAGE);
        table.map(0x1000, 0x1fff, PAGE, BOTH);
        host.fill((byte) 1);
        translated.enter();
        assertEquals(DmaResult.FAULT, translated.write(0x1ff0, host, 0, 17));
        assertEquals(DmaResult.FAULT, translated.read(0x1ff0, host, 0, 17));
        translated.leave();
        assertEquals(0, i64(2 * PAGE - 16), "a part of a refused write landed in memory");
        assertEquals(1, LittleEndian.u8(host, 0), "a part of a refused read was copied");

        translated.enter();
        assertEquals(DmaResult.OK, translated.write(0x1ff0, host, 0, 16));
        translated.leave();
        assertEquals(0x0101_0101_0101_0101L, i64(2 * PAGE - 16));
        assertEquals(0x0101_0101_0101_0101L, i64(2 * PAGE - 8));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldCopyWhatLiesAtTheAddressesWhereverThePiecesAre(boolean behindTable) {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("DmaAccessTest -Dvirtio4j.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        // Twelve pages in four regions, as they are or through a table in which each page lies somewhere else.
        DmaHandle dma = behindTable ? translated : identity;
        for (long region = 0; region < 4; region++) {
            memory.addAnonymous(region * 3 * PAGE, 3 * PAGE);
        }
        for (long page = 0; page < 12; page++) {
            table.map(page * PAGE, page * PAGE + PAGE - 1, page * 5 % 12 * PAGE, BOTH);
        }
        byte[] model = new byte[(int) (12 * PAGE)];
        MemorySegment modelBytes = MemorySegment.ofArray(model);
        dma.enter();
        for (int round = 0; round < 4_000; round++) {
            long length = random.nextBoolean() ? random.nextLong(64) : random.nextLong(3 * PAGE);
            long at = random.nextLong(12 * PAGE - length + 1);
            if (random.nextBoolean()) {
                for (long i = 0; i < length; i++) {
                    LittleEndian.putU8(host, i, random.nextInt());
                }
                assertEquals(DmaResult.OK, dma.write(at, host, 0, length));
                MemorySegment.copy(host, 0, modelBytes, at, length);
            } else {
                assertEquals(DmaResult.OK, dma.read(at, host, 8, length));
                assertEquals(-1, MemorySegment.mismatch(host, 8, 8 + length, modelBytes, at, at + length));
            }
        }
        dma.leave();
        for (long page = 0; page < 12; page++) {
            long physical = behindTable ? page * 5 % 12 * PAGE : page * PAGE;
            for (long i = 0; i < PAGE; i += 8) {
                assertEquals(LittleEndian.i64(modelBytes, page * PAGE + i), i64(physical + i));
            }
        }
    }

    @Test
    void shouldThrowWhenTheHostSideIsTooShort() {
        memory.addAnonymous(0, PAGE);
        MemorySegment small = host.asSlice(0, 8);
        identity.enter();
        assertThrows(IndexOutOfBoundsException.class, () -> identity.read(0, small, 0, 9));
        assertThrows(IndexOutOfBoundsException.class, () -> identity.read(0, small, 1, 8));
        assertThrows(IndexOutOfBoundsException.class, () -> identity.write(0, small, 4, 8));
        identity.leave();
    }

    @Test
    void shouldSeeThePresentMapInEachSection() {
        MemoryRegion region = memory.addAnonymous(0, PAGE);
        assertResult(DmaResult.OK, identity, 0, 8, Access.READ);
        memory.remove(region, Duration.ofSeconds(1));
        assertResult(DmaResult.BUS_ERROR, identity, 0, 8, Access.READ);
        memory.addAnonymous(0, PAGE);
        assertResult(DmaResult.OK, identity, 0, 8, Access.READ);
    }

    @Test
    void shouldAskAgainInEachSectionWhatAnAddressMeans() {
        memory.addAnonymous(0, 4 * PAGE);
        table.map(0x1000, 0x1fff, 0, BOTH);
        assertPieces(translated, 0x1000, 8, new Piece(0, 0, 8));
        table.redirectFirst(2 * PAGE);
        assertPieces(translated, 0x1000, 8, new Piece(0, 2 * PAGE, 8));
        table.unmapAll();
        assertResult(DmaResult.FAULT, translated, 0x1000, 8, Access.READ);
    }

    @Test
    void shouldMoveItsGenerationWithMemoryAndWithTranslation() {
        table.map(0, 0xfff, 0, BOTH);
        translated.enter();
        long first = translated.generation();
        translated.leave();
        translated.enter();
        assertEquals(first, translated.generation());
        translated.leave();

        MemoryRegion region = memory.addAnonymous(0, PAGE);
        long second = generationOf(translated);
        assertTrue(second != first, "memory was added");
        table.redirectFirst(PAGE);
        long third = generationOf(translated);
        assertTrue(third != second, "a mapping was changed");
        memory.remove(region, Duration.ofSeconds(1));
        assertTrue(generationOf(translated) != third, "memory was removed");
    }

    private static long generationOf(DmaHandle dma) {
        dma.enter();
        long generation = dma.generation();
        dma.leave();
        return generation;
    }

    private void assertPieces(DmaHandle dma, long iova, long length, Piece... expected) {
        assertEquals(List.of(expected), pieces(dma, iova, length));
    }

    private List<Piece> pieces(DmaHandle dma, long iova, long length) {
        List<Piece> found = new ArrayList<>();
        dma.enter();
        assertEquals(DmaResult.OK, dma.access(iova, length, Access.READ, cursor));
        while (cursor.next()) {
            found.add(new Piece(cursor.region().start(), cursor.offset(), cursor.length()));
        }
        dma.leave();
        return found;
    }

    private void assertResult(DmaResult expected, DmaHandle dma, long iova, long length, Access access) {
        dma.enter();
        assertEquals(expected, dma.access(iova, length, access, cursor));
        if (expected != DmaResult.OK) {
            assertFalse(cursor.next(), "the cursor shows something of a buffer that cannot be reached");
        }
        dma.leave();
    }

    private long i64(long gpa) {
        MemoryRegion region = Objects.requireNonNull(memory.map().find(gpa));
        return LittleEndian.i64(region.segment(), gpa - region.start());
    }
}
