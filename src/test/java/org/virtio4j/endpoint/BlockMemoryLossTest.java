// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.Parked;

/**
 * Guest memory that is a file, cut short while a disk uses it: the JVM makes an internal error of the bus error. The
 * disk needs a reset and its machine memory; nobody else notices.
 */
class BlockMemoryLossTest extends BlockTests {

    private static final int SECTORS = 512;
    private static final int NEEDS_RESET = 0x40;

    private volatile String reason = "";

    /** How the disk is served. */
    enum Serving {
        WORKERS, KICKS;

        VirtioBlockBuilder choose(VirtioBlockBuilder builder) {
            return this == KICKS ? builder.servedInKicks() : builder;
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Data that is cut off in mid-request: this disk needs a reset, another machine's goes on")
    void shouldFailAloneWhenDataIsCutOff(Serving serving) throws IOException {
        BlockMachine lost = machine(serving);
        byte[] data = random(1, SECTOR);
        TestFile file = file();
        file.hook = (operation, position) -> length(0);
        lost.add(0, DiskRequests.in(0), 100 * SECTOR + 1, Integer.MAX_VALUE);
        lost.kick(0);
        assertNeedsReset(lost);
        file.hook = (operation, position) -> { };
        BlockMachine other = start(disk(SECTORS));
        assertStatus(DiskRequests.S_OK, other.send(DiskRequests.out(3, data), 1));
        assertArrayEquals(data, other.send(DiskRequests.in(3), SECTOR + 1).data());
        assertWorksAfterAReset(lost, other);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Rings that are cut off between requests: the same at the next notification")
    void shouldFailAloneWhenRingsAreCutOff(Serving serving) throws IOException {
        BlockMachine lost = machine(serving);
        assertStatus(DiskRequests.S_OK, lost.send(DiskRequests.in(0), SECTOR + 1));
        BlockMachine other = start(disk(SECTORS));
        length(0);
        lost.transport().notifyQueue(0);
        assertNeedsReset(lost);
        assertStatus(DiskRequests.S_OK, other.send(DiskRequests.in(0), SECTOR + 1));
        assertWorksAfterAReset(lost, other);
    }

    @Test
    @DisplayName("The same where all is compiled, and the JVM throws the error somewhat later")
    void shouldFailAloneWhenCompiled() throws IOException {
        length(BlockMachine.RAM_END);
        BlockMachine lost = powerOnWith(disk(SECTORS).polled()).start();
        lost.listener(reasons());
        VirtioBlock disk = disk();
        for (int i = 0; i < 20_000; i++) {
            lost.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
            lost.kick(0);
            assertEquals(1, disk.poll(0));
            assertNotNull(lost.poll(0));
        }
        BlockMachine other = start(disk(SECTORS));
        length(0);
        disk.poll(0);
        assertNeedsReset(lost);
        assertStatus(DiskRequests.S_OK, other.send(DiskRequests.in(0), SECTOR + 1));
        length(BlockMachine.RAM_END);
        lost.reset(ResetKind.DEVICE);
        lost.start();
        lost.add(0, DiskRequests.in(0), SECTOR + 1, Integer.MAX_VALUE);
        lost.kick(0);
        assertEquals(1, disk.poll(0));
    }

    private BlockMachine machine(Serving serving) throws IOException {
        length(BlockMachine.RAM_END);
        BlockMachine machine = powerOnWith(serving.choose(disk(SECTORS))).start();
        machine.listener(reasons());
        return machine;
    }

    private DeviceListener reasons() {
        return new DeviceListener() {
            @Override
            public void needsReset(String why) {
                reason = why;
            }
        };
    }

    private BlockMachine powerOnWith(VirtioBlockBuilder builder) {
        return keep(new BlockMachine(kind, build(builder), memory -> {
            try {
                memory.addFile(0, ram(), 0, BlockMachine.RAM_END / 2);
                memory.addFile(BlockMachine.RAM_END / 2, ram(), BlockMachine.RAM_END / 2, BlockMachine.RAM_END / 2);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }));
    }

    private void assertNeedsReset(BlockMachine machine) {
        Parked.until(() -> (machine.transport().status() & NEEDS_RESET) != 0);
        Parked.until(() -> !reason.isEmpty());
        assertTrue(reason.contains("queue 0: guest memory was cut short"), reason);
    }

    /** The memory is back, though empty; behind an IOMMU what that remembers is not in guest memory. */
    private void assertWorksAfterAReset(BlockMachine lost, BlockMachine other) throws IOException {
        length(BlockMachine.RAM_END);
        lost.reset(ResetKind.DEVICE);
        assertEquals(0, lost.transport().status());
        lost.start();
        byte[] data = random(2, SECTOR);
        assertStatus(DiskRequests.S_OK, lost.send(DiskRequests.out(7, data), 1));
        DiskReply reply = lost.send(DiskRequests.in(7), SECTOR + 1);
        assertStatus(DiskRequests.S_OK, reply);
        assertArrayEquals(data, reply.data());
        assertEquals(0, other.transport().status() & NEEDS_RESET, "the other machine has lost nothing");
    }

    private void length(long bytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(ram().toFile(), "rw")) {
            file.setLength(bytes);
        }
    }

    private Path ram() {
        return Objects.requireNonNull(folder).resolve("guest.ram");
    }
}
