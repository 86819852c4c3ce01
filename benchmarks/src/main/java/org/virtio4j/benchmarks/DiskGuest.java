// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.virtio4j.benchmarks.TransportKind.Attached;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioBlockBuilder;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.block.RequestHeader;
import org.virtio4j.wire.block.RequestStatus;
import org.virtio4j.wire.block.RequestType;

/**
 * A guest with a disk that is served in the doorbell or polled, so that no thread has to wake up. 64 requests lie in
 * its ring of 256, each with a header, 4 KiB of data and a status, and are made available again and again. The file is
 * small and was just written, so it is in the host's page cache.
 */
public final class DiskGuest implements AutoCloseable {

    /** How many requests there are. */
    public static final int BATCH = 64;

    private static final int RING = 256;
    private static final int CHAIN = RING / BATCH;
    private static final long RAM = 1 << 20;
    private static final long DATA_SIZE = 4096;
    private static final long SLOT_SIZE = 2 * DATA_SIZE;
    private static final long DATA = 0;
    private static final long HEADER = DATA_SIZE;
    private static final long STATUS = HEADER + RequestHeader.SIZE;
    private static final int NOT_ANSWERED = 0xff;

    private final GuestMemory memory = GuestMemory.anonymous(0, RAM);
    private final Path file;
    private final VirtioBlock disk;
    private final GuestBuffer slots;
    private final PlacedRing requests;
    private final Doorbell doorbell;

    public DiskGuest(TransportKind kind, boolean polled) {
        try {
            file = Files.createTempFile("virtio4j-bench", ".img");
            Files.write(file, new byte[(int) (BATCH * DATA_SIZE)]);
            VirtioBlockBuilder builder = VirtioBlock.builder(file).queueSize(RING);
            disk = (polled ? builder.polled() : builder.servedInKicks()).build();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        GuestRam ram = new GuestRam(memory, 0, RAM);
        slots = ram.buffer(BATCH * SLOT_SIZE, GuestMemory.PAGE_SIZE);
        requests = new PlacedRing(memory, ram, RING, IntStream.range(0, BATCH).map(slot -> CHAIN * slot).toArray());
        Attached attached = kind.attach(disk, memory);
        doorbell = polled ? () -> {
            int ignored = attached.poll().getAsInt();
        } : attached.doorbell();
        start(new VirtioDriver(attached.driver(), FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.EVENT_IDX)));
        // The driver that enables a ring clears it, so the chains come after that.
        requests.fillAvailable();
        for (int slot = 0; slot < BATCH; slot++) {
            placeRead(slot);
        }
        place();
    }

    // Outside the measured time

    /** Throws unless all requests were answered, and with {@code OK}. */
    public void check() {
        requests.checkAllUsed();
        for (int slot = 0; slot < BATCH; slot++) {
            int status = slots.u8(slot * SLOT_SIZE + STATUS);
            if (status != RequestStatus.OK) {
                throw new IllegalStateException("status=" + status + ": the disk did not do what is being measured");
            }
        }
    }

    /** Takes the answers away, so that the next ones are seen. */
    public void place() {
        for (int slot = 0; slot < BATCH; slot++) {
            slots.putU8(slot * SLOT_SIZE + STATUS, NOT_ANSWERED);
        }
    }

    // Inside the measured time

    /** Makes the requests available one by one, each with a doorbell or a poll of its own. */
    public void serveEach() {
        for (int i = 0; i < BATCH; i++) {
            requests.makeAvailable(1);
            doorbell.write();
        }
    }

    /** Rings or polls for nothing. */
    public void look() {
        doorbell.write();
    }

    /** Makes the requests available with one store and one doorbell or poll. */
    public void serveAll() {
        requests.makeAvailable(BATCH);
        doorbell.write();
    }

    @Override
    public void close() {
        try {
            disk.close();
            Files.delete(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } finally {
            memory.close();
        }
    }

    private void start(VirtioDriver driver) {
        require(driver.begin());
        require(driver.enable(driver.queue(0, requests.memory())));
        require(driver.driverOk());
    }

    private void placeRead(int slot) {
        long at = slot * SLOT_SIZE;
        slots.putI32(at + HEADER + RequestHeader.TYPE, RequestType.IN);
        slots.putI64(at + HEADER + RequestHeader.SECTOR, slot * DATA_SIZE / BlockConfig.SECTOR_SIZE);
        long address = slots.address() + at;
        int head = CHAIN * slot;
        requests.raw().putDescriptor(head, address + HEADER, RequestHeader.SIZE, SplitDescriptor.FLAG_NEXT, head + 1);
        requests.raw().putDescriptor(head + 1, address + DATA, DATA_SIZE,
                SplitDescriptor.FLAG_NEXT | SplitDescriptor.FLAG_WRITE, head + 2);
        requests.raw().putDescriptor(head + 2, address + STATUS, RequestHeader.STATUS_SIZE,
                SplitDescriptor.FLAG_WRITE, 0);
    }

    private static void require(StartResult result) {
        if (result != StartResult.OK) {
            throw new IllegalStateException("start=" + result + ": the disk cannot be driven");
        }
    }
}
