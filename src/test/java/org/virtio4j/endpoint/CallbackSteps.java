// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.virtio4j.driver.StartResult;
import org.virtio4j.fixture.Parked;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;

/** What the guest does with its devices, one step each. */
abstract class CallbackSteps extends CallbackSetUp {

    CallbackSteps(Callback callback, CallbackTrap trap, boolean pci, boolean worker, Path file) throws IOException {
        super(callback, trap, pci, worker, file);
    }

    void startIommu() {
        enter(Phase.START, Callback.Owner.IOMMU);
        for (int step : new int[] {0, 1, 3, 11}) {
            assertEquals(StartResult.OK, driver.writeStatus(step));
        }
        toIommu.useMessages();
        assertEquals(StartResult.OK, driver.writeStatus(15));
        toIommu.running = true;
    }

    void attach(int endpoint) {
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        ok(driver.attach(0, endpoint, endpoint, 0));
        ok(driver.map(0, endpoint, 0, RAM - 1, 0, READ_WRITE));
        ok(driver.map(0, endpoint, CallbackGuest.DOORBELL, CallbackGuest.DOORBELL + PAGE - 1, CallbackGuest.DOORBELL,
                READ_WRITE));
        if (callback == Callback.LISTENER_DOORBELL) {
            ok(driver.map(0, endpoint, 2 * FREE_IOVA, 2 * FREE_IOVA + PAGE - 1, SPARE, READ_WRITE | MMIO));
        }
        sync();
    }

    void start(Callback.Owner who) {
        enter(Phase.START, who);
        guest(who).start();
        acknowledge(who);
    }

    void reset(Callback.Owner who) {
        enter(Phase.RESET, who);
        guest(who).reset();
        assertTrue(guest(who).isReset());
    }

    void resetAll() {
        reset(Callback.Owner.DISK);
        reset(Callback.Owner.OWN);
        reset(Callback.Owner.ENTROPY);
        reset(Callback.Owner.IOMMU);
    }

    /** Which device this is about, where it could be any. */
    Callback.Owner one() {
        return callback.owner == Callback.Owner.MEMORY ? Callback.Owner.DISK : callback.owner;
    }

    void restart() {
        if (one() != Callback.Owner.IOMMU) {
            reset(one());
            start(one());
        }
    }

    void use(Callback.Owner who) {
        switch (who) {
            case IOMMU -> map();
            case DISK -> useDisk();
            case ENTROPY -> useEntropy();
            case OWN -> useOwn();
            case MEMORY -> removeMemory();
        }
    }

    void useDisk() {
        enter(Phase.SERVE, Callback.Owner.DISK);
        byte[] data = new byte[SECTOR];
        data[7] = 7;
        disk(DiskRequests.out(1, data), 1);
        disk(DiskRequests.in(1), SECTOR + 1);
        disk(DiskRequests.flush(), 1);
    }

    void disk(byte[] request, int writable) {
        enter(Phase.SERVE, Callback.Owner.DISK);
        if (toDisk.send(request, writable, this::isOver)) {
            assertEquals(0, toDisk.written(request.length + writable - 1), "status");
            boolean read = writable > 1;
            assertEquals(read ? 7 : 0, read ? toDisk.written(request.length + 7) : 0, "data");
        }
        acknowledge(Callback.Owner.DISK);
    }

    void useEntropy() {
        enter(Phase.SERVE, Callback.Owner.ENTROPY);
        assertTrue(toEntropy.send(new byte[0], 16, this::isOver));
        acknowledge(Callback.Owner.ENTROPY);
    }

    void useOwn() {
        enter(Phase.SERVE, Callback.Owner.OWN);
        if (toOwn.send(new byte[0], 16, this::isOver)) {
            assertEquals(CallbackDevice.VALUE, toOwn.written(0));
        }
        acknowledge(Callback.Owner.OWN);
    }

    void map() {
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        for (int i = 0; i < 3; i++) {
            long page = FREE_IOVA + i * PAGE;
            ok(driver.map(0, DISK, page, page + PAGE - 1, 0, READ_WRITE));
        }
        sync();
        ok(driver.unmap(0, DISK, FREE_IOVA, FREE_IOVA + 2 * PAGE - 1));
        sync();
        ok(driver.unmap(0, DISK, FREE_IOVA, FREE_IOVA + 3 * PAGE - 1));
        sync();
    }

    /** A device that is in a section holds an UNMAP up. */
    void unmapUnderDma() {
        if (callback != Callback.LISTENER_STALLED) {
            return;
        }
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        ok(driver.map(0, DISK, FREE_IOVA, FREE_IOVA + PAGE - 1, 0, READ_WRITE));
        sync();
        underDma(() -> {
            ok(driver.unmap(0, DISK, FREE_IOVA, FREE_IOVA + PAGE - 1));
            sync();
        });
    }

    private void underDma(Step step) {
        stalled = new CountDownLatch(1);
        try (Parked inside = Parked.between(onlooker::enter, () -> {
            Parked.await(stalled);
            onlooker.leave();
        })) {
            inside.letGo();
            step.run();
            // Of a listener that throws as an interrupted thread does.
            boolean ignored = Thread.interrupted();
        }
    }

    /** An embedder adds a page, and takes it away again. */
    void removeMemory() {
        enter(Phase.REGISTER, Callback.Owner.MEMORY);
        MemoryRegion region = memory.add(SPARE, spare, RegionKind.RAM, () -> trap.pass(Callback.MEMORY_RELEASED));
        if (callback == Callback.MEMORY_STALL) {
            underDma(() -> memory.remove(region, Duration.ofMillis(1)));
        } else {
            memory.remove(region, Duration.ofSeconds(1));
        }
    }

    /** What is written to where nothing is mapped is lost, and the IOMMU's driver hears of it. */
    void fault() {
        enter(Phase.SERVE, Callback.Owner.DISK);
        assertTrue(toDisk.sendAt(FREE_IOVA, 16, FREE_IOVA + 16, 1, this::isOver) || isOver());
        acknowledge(Callback.Owner.DISK);
        acknowledge(Callback.Owner.IOMMU);
        enter(Phase.SERVE, Callback.Owner.OWN);
        assertTrue(toOwn.sendAt(FREE_IOVA, 0, FREE_IOVA + 16, 8, this::isOver) || isOver());
        acknowledge(Callback.Owner.OWN);
        acknowledge(Callback.Owner.IOMMU);
        takeReports();
    }

    /** The driver gives the buffers back, so that there is always one for the next report. */
    private void takeReports() {
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        boolean more = driver.pollEvent(report);
        while (more) {
            more = driver.pollEvent(report);
        }
    }

    void writeBypass() {
        enter(Phase.REGISTER, Callback.Owner.IOMMU);
        driver.writeBypass(1);
        driver.writeBypass(0);
    }

    void configure() {
        enter(Phase.REGISTER, Callback.Owner.OWN);
        long ignored = toOwn.transport.readConfig(0, 4);
        toOwn.transport.writeConfig(0, 4, 1);
    }

    void moveEndpoint() {
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        ok(driver.attach(0, 20, ONLOOKER, 0));
        ok(driver.map(0, 20, FREE_IOVA, FREE_IOVA + PAGE - 1, 0, READ_WRITE));
        ok(driver.attach(0, 21, ONLOOKER, 0));
        ok(driver.detach(0, 21, ONLOOKER));
        sync();
    }

    /** One queue ends and begins while its device goes on. */
    void resetQueue() {
        if (one() != Callback.Owner.IOMMU) {
            enter(callback.opensQueue() ? Phase.SERVE : Phase.REGISTER, one());
            guest(one()).resetQueue();
        }
    }

    /** Who throws when he is told of it finds the reason taken. */
    void breakRing() {
        if (one() == Callback.Owner.IOMMU) {
            return;
        }
        enter(Phase.REGISTER, one());
        guest(one()).breakRing();
        CallbackTrap.until(() -> guest(one()).needsReset() || isOver());
        acknowledge(one());
    }

    void misplaceRing() {
        enter(Phase.REGISTER, one());
        guest(one()).misplaceRing();
    }

    void beRefused() {
        enter(Phase.REGISTER, one());
        guest(one()).beRefused();
    }

    int status(Callback.Owner who) {
        return guest(who).transport.status();
    }
}
