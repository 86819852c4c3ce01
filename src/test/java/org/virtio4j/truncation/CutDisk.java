// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.endpoint.BlockCounters;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioBlockBuilder;
import org.virtio4j.fixture.Parked;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.transport.TransportKind;

/**
 * A disk that reads and writes. Each sector that is written has one number throughout, with the sector's own in it, so
 * that bytes which come from anywhere else show in the file.
 */
final class CutDisk extends CutGuest {

    /** How it is set up. */
    enum Kind { WORKERS, KICKS, POLLED, TRANSLATED }

    private static final int SECTORS = 1024;
    private static final int SECTOR = 512;
    private static final int IN = 0;
    private static final int OUT = 1;
    private static final int ENDPOINT = 8;

    /** Room for one request: its header, its status, and its data. */
    private static final int SLOT = 0x2_0000;
    private static final int STATUS = 512;
    private static final int DATA = 4096;
    private static final int MOST_SECTORS = (SLOT - DATA) / SECTOR;
    private static final int SLOTS = 16;

    private final VirtioBlock disk;
    private final Path file;
    private final Kind kind;
    private long expected;
    private long version;

    private CutDisk(Path folder, TransportKind transport, VirtioBlock disk, Path file, Kind kind) {
        super(folder, transport, disk, 0, memory -> kind == Kind.TRANSLATED
                ? DmaSpace.of(memory, VirtioIommu.builder().endpoint(ENDPOINT).build().translator(ENDPOINT))
                : DmaSpace.identity(memory));
        this.disk = disk;
        this.file = file;
        this.kind = kind;
    }

    static CutDisk of(Path folder, TransportKind transport, Kind kind) {
        return of(folder, folder, transport, kind);
    }

    /** The same with the files of its RAM elsewhere. */
    static CutDisk of(Path folder, Path ramFolder, TransportKind transport, Kind kind) {
        try {
            Path file = Files.createDirectories(folder).resolve("disk.img");
            Files.write(file, new byte[SECTORS * SECTOR]);
            VirtioBlockBuilder builder = VirtioBlock.builder(file).queueSize(CutRam.ENTRIES);
            VirtioBlockBuilder served = switch (kind) {
                case WORKERS -> builder;
                case POLLED -> builder.polled();
                case KICKS, TRANSLATED -> builder.servedInKicks();
            };
            return new CutDisk(ramFolder, transport, served.build(), file, kind);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    @Override
    void load(Random random) {
        expected = answered();
        int slot = 0;
        while (slot < SLOTS && add(slot, random.nextInt(2), random)) {
            slot++;
        }
        expected += slot;
        queue.publish();
    }

    /** One large read, of which the guest itself touches two pages. */
    void loadRead() {
        expected = answered() + 1;
        header(0, IN, 0);
        long at = buffers.address();
        assertTrue(queue.add(0, new long[] {at, at + DATA, at + STATUS}, new long[] {16, MOST_SECTORS * SECTOR, 1}, 1,
                2));
        queue.publish();
    }

    @Override
    void fire() {
        if (kind == Kind.POLLED) {
            poll();
        } else {
            port.notifyQueue(0);
        }
    }

    private void poll() {
        int given = disk.poll(0);
        while (given > 0) {
            given = disk.poll(0);
        }
    }

    @Override
    boolean done() {
        return answered() >= expected;
    }

    @Override
    void verify(Random random) {
        int sectors = 1 + random.nextInt(8);
        long sector = random.nextInt(SECTORS - sectors);
        byte[] written = stamped(sector, sectors);
        send(OUT, sector, written);
        assertArrayEquals(written, send(IN, sector, new byte[written.length]));
    }

    /** No sector has a half of anything, or another one's bytes. */
    @Override
    void checkNothingWrong() {
        try {
            ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            assertEquals(SECTORS * SECTOR, all.capacity());
            for (int sector = 0; sector < SECTORS; sector++) {
                checkSector(all, sector);
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void checkSector(ByteBuffer all, int sector) {
        long number = all.getLong(sector * SECTOR);
        boolean right = number == 0 || number >>> Integer.SIZE == sector + 1;
        for (int at = 0; right && at < SECTOR; at += Long.BYTES) {
            right = all.getLong(sector * SECTOR + at) == number;
        }
        if (!right) {
            throw new AssertionError("sector " + sector + " begins with " + number);
        }
    }

    @Override
    public void close() {
        super.close();
        try {
            disk.close();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private boolean add(int slot, int type, Random random) {
        int sectors = 1 + random.nextInt(random.nextInt(4) == 0 ? MOST_SECTORS : 8);
        long sector = random.nextInt(SECTORS - sectors);
        int at = slot * SLOT;
        header(at, type, sector);
        if (type == OUT) {
            byte[] data = stamped(sector, sectors);
            buffers.write(at + DATA, data, 0, data.length);
        }
        int pieces = 1 + random.nextInt(Math.min(6, sectors));
        long[] addresses = new long[pieces + 2];
        long[] lengths = new long[pieces + 2];
        addresses[0] = buffers.address() + at;
        lengths[0] = 16;
        int done = 0;
        for (int i = 1; i <= pieces; i++) {
            int left = sectors * SECTOR - done;
            addresses[i] = buffers.address() + at + DATA + done;
            lengths[i] = i == pieces ? left : left / (pieces - i + 1);
            done += (int) lengths[i];
        }
        addresses[pieces + 1] = buffers.address() + at + STATUS;
        lengths[pieces + 1] = 1;
        return queue.add(slot, addresses, lengths, type == OUT ? pieces + 1 : 1, type == OUT ? 1 : pieces + 1);
    }

    private byte[] send(int type, long sector, byte[] data) {
        header(0, type, sector);
        buffers.write(DATA, data, 0, data.length);
        buffers.putU8(STATUS, 0xff);
        long[] addresses = {buffers.address(), buffers.address() + DATA, buffers.address() + STATUS};
        long[] lengths = {16, data.length, 1};
        assertTrue(queue.add(0, addresses, lengths, type == OUT ? 2 : 1, type == OUT ? 1 : 2));
        queue.publish();
        fire();
        Parked.until(queue::poll);
        assertEquals(0, buffers.u8(STATUS), this::failure);
        byte[] back = new byte[data.length];
        buffers.read(DATA, back, 0, back.length);
        return back;
    }

    private void header(int at, int type, long sector) {
        buffers.putI32(at, type);
        buffers.putI32(at + 4, 0);
        buffers.putI64(at + 8, sector);
    }

    private byte[] stamped(long sector, int sectors) {
        ByteBuffer bytes = ByteBuffer.allocate(sectors * SECTOR).order(ByteOrder.LITTLE_ENDIAN);
        version++;
        while (bytes.hasRemaining()) {
            bytes.putLong(((sector + 1 + bytes.position() / SECTOR) << Integer.SIZE) | (version & 0xffff_ffffL));
        }
        return bytes.array();
    }

    private long answered() {
        BlockCounters counters = disk.counters();
        return counters.requests(IN) + counters.requests(OUT);
    }
}
