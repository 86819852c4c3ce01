// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.driver.FeatureSet;

/** Sections 5.2.1 to 5.2.5, what a driver sees of the disk before its first request. */
class BlockConfigurationTest extends BlockTests {

    private static final int CACHE_MODE = 32;

    @Test
    @DisplayName("5.2.1: the device ID is 2")
    void shouldBeDeviceTwo() {
        assertEquals(2, powerOn(disk(8)).transport().deviceType());
    }

    @Test
    @DisplayName("5.2.2: one queue, or as many as num_queues says with MQ")
    void shouldHaveAsManyQueuesAsItSays() {
        BlockMachine one = powerOn(disk(8));
        assertEquals(BlockMachine.QUEUE_SIZE, one.transport().queueSizeMax(0));
        assertEquals(0, one.transport().queueSizeMax(1));
        assertFalse(one.offered().has(DiskRequests.F_MQ));
        BlockMachine three = powerOn(disk(8).queues(3));
        assertTrue(three.offered().has(DiskRequests.F_MQ));
        assertEquals(3, three.config(34, 2));
        assertEquals(BlockMachine.QUEUE_SIZE, three.transport().queueSizeMax(2));
        assertEquals(0, three.transport().queueSizeMax(3));
    }

    @Test
    @DisplayName("5.2.3: what is offered, and nothing else of the device type's bits")
    void shouldOfferWhatItCanDo() {
        FeatureSet offered = powerOn(disk(8)).offered();
        assertEquals(1L << 2 | 1L << 6 | 1L << 9 | 1L << 11 | 1L << 13 | 1L << 14, offered.low() & 0xff_ffffL);
    }

    @Test
    @DisplayName("5.2.4: the fields and where they lie; the rest is 0")
    void shouldLayOutTheConfiguration() {
        BlockMachine machine = powerOn(disk(40).queues(2).blockSize(4096));
        assertEquals(40, machine.config(0, 8));
        assertEquals(BlockMachine.QUEUE_SIZE - 2, machine.config(12, 4));
        assertEquals(4096, machine.config(20, 4));
        assertEquals(2, machine.config(34, 2));
        assertEquals(1 << 22, machine.config(36, 4));
        assertEquals(64, machine.config(40, 4));
        assertEquals(8, machine.config(44, 4));
        assertEquals(1 << 13, machine.config(48, 4));
        assertEquals(64, machine.config(52, 4));
        assertEquals(1, machine.config(56, 4), "WRITE_ZEROES may unmap");
        for (int offset : new int[] {8, 16, 24, 28, 60, 64, 68, 72, 76, 80, 84, 88, 92}) {
            assertEquals(0, machine.config(offset, 4), "offset " + offset);
        }
        assertEquals(0, machine.config(33, 1), "unused0 (5.2.5.2)");
    }

    @Test
    @DisplayName("5.2.4: the capacity is in sectors of 512 bytes, whatever the block size")
    void shouldCountTheCapacityInSectors() {
        assertEquals(16, powerOn(disk(16).blockSize(4096)).config(0, 8));
        assertEquals(16 * SECTOR, disk().size());
        assertEquals(0, powerOn(disk(0).blockSize(4096)).config(0, 8));
    }

    @ParameterizedTest
    @CsvSource({"8704, 4096, 12288", "513, 512, 1024", "511, 512, 512", "4096, 65536, 65536", "65537, 65536, 131072"})
    @DisplayName("5.2.4: a disk with part of a block at its end is refused, with both lengths and the mend")
    void shouldRefusePartOfABlock(int bytes, int blockSize, int enough) throws IOException {
        VirtioBlockBuilder builder = disk(0).blockSize(blockSize);
        write(new byte[bytes]);
        String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertEquals("blockSize=" + blockSize + ", but " + path() + " has " + bytes + " bytes, which is no multiple of "
                + "it; make it " + enough + " bytes long (truncate -s) or choose smaller blocks", message);
        assertEquals(bytes, contents().length);
        write(new byte[enough]);
        assertEquals(enough, build(builder).size(), "nothing is left of the disk that was refused");
    }

    @Test
    @DisplayName("5.2.6.2: a disk whose file was cut within a block goes on, and can be made whole")
    void shouldOutliveAFileThatWasCutWithinABlock() throws IOException {
        BlockMachine machine = start(disk(16).blockSize(4096));
        write(random(1, 9 * SECTOR + 1));
        assertEquals(16, machine.config(0, 8));
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(8), SECTOR + 1));
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.in(9), SECTOR + 1));
        disk().resize(16 * SECTOR);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.in(9), 7 * SECTOR + 1));
        assertThrows(IllegalArgumentException.class, () -> disk().resize(9 * SECTOR));
    }

    @Test
    @DisplayName("5.2.5.2: FLUSH is offered with CONFIG_WCE, and CONFIG_WCE not without FLUSH")
    void shouldNotOfferConfigWceWithoutFlush() {
        FeatureSet offered = powerOn(disk(8).without(DiskRequests.F_FLUSH)).offered();
        assertFalse(offered.has(DiskRequests.F_FLUSH));
        assertFalse(offered.has(DiskRequests.F_CONFIG_WCE));
    }

    @Test
    @DisplayName("5.2.5.2: with CONFIG_WCE but not FLUSH writeback is 0 at first, else 1")
    void shouldInitializeWriteback() {
        BlockMachine machine = powerOn(disk(8));
        machine.negotiate(machine.offered());
        assertEquals(1, machine.config(32, 1));
        machine.negotiate(machine.offered().without(DiskRequests.F_FLUSH));
        assertEquals(0, machine.config(32, 1));
    }

    @Test
    @DisplayName("5.2.5: writeback takes 0 and 1 where CONFIG_WCE was negotiated; nothing else can be written")
    void shouldTakeCacheModesOnly() {
        BlockMachine machine = powerOn(disk(8));
        machine.negotiate(machine.offered());
        machine.transport().writeConfig(32, 1, 0);
        assertEquals(0, machine.config(32, 1));
        machine.transport().writeConfig(32, 1, 2);
        assertEquals(0, machine.config(32, 1));
        machine.transport().writeConfig(32, 1, 1);
        assertEquals(1, machine.config(32, 1));
        machine.transport().writeConfig(0, 4, 99);
        machine.transport().writeConfig(33, 1, 0);
        assertEquals(8, machine.config(0, 8));
        assertEquals(1, machine.config(32, 1));
        machine.negotiate(machine.offered().without(DiskRequests.F_CONFIG_WCE));
        machine.transport().writeConfig(32, 1, 0);
        assertEquals(1, machine.config(32, 1));
    }

    @Test
    @DisplayName("5.2.5: what an earlier driver negotiated lets nobody write writeback between a reset and FEATURES_OK")
    void shouldClearAtAResetThatWritebackCouldBeWritten() {
        BlockMachine machine = powerOn(disk(8));
        machine.negotiate(machine.offered());
        machine.reset(ResetKind.DEVICE);
        machine.transport().writeConfig(32, 1, 0);
        assertEquals(1, machine.config(32, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 256, 32_768})
    @DisplayName("2.7.5.3.1: seg_max data segments, header and status fit the queue")
    void shouldPromiseNoMoreSegmentsThanTheQueueHas(int entries) {
        BlockMachine machine = powerOn(disk(8).queueSize(entries));
        assertEquals(entries - 2, machine.config(12, 4));
        assertEquals(entries, machine.transport().queueSizeMax(0));
    }

    @ParameterizedTest
    @ValueSource(ints = {-4, 0, 1, 2, 3, 5, 65_536})
    @DisplayName("2.7.5.3.1: a queue in which no request fits is refused, with the reason")
    void shouldRefuseQueuesInWhichNoRequestFits(int entries) {
        String message = assertThrows(IllegalArgumentException.class, () -> disk(8).queueSize(entries)).getMessage();
        assertEquals("queueSize=" + entries + ", but a power of two from 4 to 32768 is needed: a request has three "
                + "descriptors (header, data, status)", message);
    }

    @Test
    @DisplayName("5.2.6.2: a changed capacity is shown, and the driver is notified")
    void shouldTellOfAResize() throws IOException {
        BlockMachine machine = start(disk(8));
        int before = machine.interrupts();
        int generation = machine.transport().configGeneration();
        disk().resize(16 * SECTOR);
        assertEquals(before + 1, machine.interrupts());
        assertEquals(16, machine.config(0, 8));
        assertTrue(machine.transport().configGeneration() != generation);
        assertEquals(16 * SECTOR, contents().length);
        assertStatus(DiskRequests.S_OK, machine.send(DiskRequests.out(15, random(1, SECTOR)), 1));
        disk().resize(4 * SECTOR);
        assertEquals(4, machine.config(0, 8));
        assertEquals(4 * SECTOR, contents().length);
        assertStatus(DiskRequests.S_IOERR, machine.send(DiskRequests.out(4, random(1, SECTOR)), 1));
        assertEquals(4 * SECTOR, contents().length);
    }

    @Test
    @DisplayName("2.5.1: a capacity that changes while the driver reads it moves the generation, before DRIVER_OK too")
    void shouldMoveTheGenerationBeforeTheDriverIsReady() throws IOException {
        BlockMachine machine = powerOn(disk(8));
        assertGenerationMovesOnce(machine, 16);
        machine.negotiate(machine.offered());
        assertGenerationMovesOnce(machine, 24);
        machine.start();
        machine.reset(ResetKind.DEVICE);
        assertGenerationMovesOnce(machine, 4);
    }

    @Test
    @DisplayName("2.5.1, 5.2.5.2: a cache mode that follows from what was negotiated moves the generation")
    void shouldMoveTheGenerationWhenNegotiationChangesTheCacheMode() {
        BlockMachine machine = powerOn(disk(8));
        FeatureSet all = machine.offered();
        machine.config(CACHE_MODE, 1);
        int before = machine.transport().configGeneration();
        machine.negotiate(all);
        assertEquals(1, machine.config(CACHE_MODE, 1));
        int writeback = machine.transport().configGeneration();
        assertNotEquals(before, writeback);
        machine.negotiate(all);
        assertEquals(1, machine.config(CACHE_MODE, 1));
        assertEquals(writeback, machine.transport().configGeneration(), "nothing has changed");
        machine.negotiate(all.without(DiskRequests.F_FLUSH));
        assertEquals(0, machine.config(CACHE_MODE, 1));
        assertNotEquals(writeback, machine.transport().configGeneration());
    }

    private void assertGenerationMovesOnce(BlockMachine machine, int sectors) throws IOException {
        machine.config(0, 4);
        int before = machine.transport().configGeneration();
        disk().resize((long) sectors * SECTOR);
        assertEquals(sectors, machine.config(0, 8));
        int after = machine.transport().configGeneration();
        assertNotEquals(before, after);
        assertEquals(sectors, machine.config(0, 8));
        assertEquals(after, machine.transport().configGeneration());
    }

    @Test
    @DisplayName("An embedder's mistakes throw at once")
    void shouldThrowForEmbeddersMistakes() {
        VirtioBlockBuilder builder = disk(8);
        assertThrows(IllegalArgumentException.class, () -> builder.queues(0));
        assertThrows(IllegalArgumentException.class, () -> builder.queueSize(100));
        assertThrows(IllegalArgumentException.class, () -> builder.blockSize(100));
        assertThrows(IllegalArgumentException.class, () -> builder.id("more than twenty characters"));
        assertThrows(IllegalArgumentException.class, () -> builder.id("Gr\u00fc\u00dfe"));
        VirtioBlock disk = build(builder.readOnly());
        assertThrows(IllegalStateException.class, () -> disk.resize(0));
        assertThrows(IllegalArgumentException.class, () -> disk.resize(513));
        assertThrows(IOException.class, () -> VirtioBlock.builder(path().resolveSibling("none")).build());
    }
}
