// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.IdleStrategy;
import org.virtio4j.device.DeviceListener;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.driver.DriverResult;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.IommuDriver;
import org.virtio4j.driver.IommuDriverOptions;
import org.virtio4j.driver.StartResult;
import org.virtio4j.fixture.Parked;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.vmm.DmaHandle;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.vmm.Translator;

/**
 * A guest with an IOMMU and, behind it, a disk, an entropy source and a device of the embedder's own; all callbacks go
 * through a {@link CallbackTrap}. It does the same each time, step by step.
 */
final class CallbackMachine implements AutoCloseable {

    /** Where the guest is, which decides what may be expected of a device that was failed by a callback. */
    enum Phase { START, SERVE, REGISTER, RESET }

    /** Something that the guest does. */
    private interface Step {
        void run();
    }

    private static final long RAM = 0x100_0000L;
    private static final int READ_WRITE = 3;
    private static final int DISK = 8;
    private static final int ENTROPY = 9;
    private static final int OWN = 10;
    private static final int ONLOOKER = 11;
    private static final long FREE_IOVA = 0x1_0000_0000L;
    private static final long PAGE = 4096;
    private static final int SECTOR = DiskRequests.SECTOR;

    private final Callback callback;
    private final CallbackTrap trap;
    private final boolean pci;
    private final boolean worker;
    private final GuestMemory memory = new GuestMemory();
    private final VirtioBlock disk;
    private final VirtioIommu iommu;
    private final CallbackGuest toIommu;
    private final CallbackGuest toDisk;
    private final CallbackGuest toEntropy;
    private final CallbackGuest toOwn;
    private final IommuDriver driver;
    private final DmaHandle onlooker;
    private final AtomicLong idles = new AtomicLong();
    private volatile CountDownLatch stalled = new CountDownLatch(0);
    private long now;
    private int status;
    private Phase phase = Phase.START;
    private Callback.Owner at = Callback.Owner.IOMMU;

    CallbackMachine(Callback callback, CallbackTrap trap, boolean pci, boolean worker, Path file) throws IOException {
        this.callback = callback;
        this.trap = trap;
        this.pci = pci;
        this.worker = worker;
        memory.addAnonymous(0, RAM);
        memory.addDoorbell(CallbackGuest.DOORBELL, PAGE, (requester, address, data) ->
                trap.pass(requester == DISK ? Callback.DISK_MESSAGE : Callback.IOMMU_MESSAGE));
        GuestRam ram = new GuestRam(memory, PAGE, RAM - PAGE);
        iommu = iommu();
        disk = disk(file);
        Translator real = iommu.translator(DISK);
        Translator own = callback.name().startsWith("TRANSL") ? new TrappedTranslator(real, trap) : real;
        toIommu = connect(iommu, DmaSpace.identity(memory), Callback.Owner.IOMMU, ram);
        toDisk = connect(disk, DmaSpace.of(memory, own, DISK), Callback.Owner.DISK, ram);
        toEntropy = connect(new VirtioEntropy(), DmaSpace.of(memory, iommu.translator(ENTROPY), ENTROPY),
                Callback.Owner.ENTROPY, ram);
        toOwn = connect(new CallbackDevice(trap), DmaSpace.of(memory, iommu.translator(OWN), OWN),
                Callback.Owner.OWN, ram);
        driver = new IommuDriver(toIommu.transport, ram, IommuDriverOptions.LINUX.withPollLimit(100),
                result -> status |= result.status());
        onlooker = DmaSpace.of(memory, iommu.translator(ONLOOKER)).open("onlooker");
    }

    private VirtioIommu iommu() {
        TrappedListener heard = new TrappedListener(trap);
        VirtioIommuBuilder builder = VirtioIommu.builder().endpoint(DISK).endpoint(ENTROPY).endpoint(OWN)
                .endpoint(ONLOOKER).bootBypass(false).maxMappings(1_000).listener(heard).trafficListener(heard)
                .requestListener((type, answer, removed) -> trap.pass(Callback.REQUEST_LISTENER))
                .batchListener(requests -> trap.pass(Callback.BATCH_LISTENER));
        if (callback == Callback.STALL_LISTENER) {
            builder.stalls(Duration.ofMillis(1), (holder, waited) -> {
                stalled.countDown();
                trap.pass(Callback.STALL_LISTENER);
            });
        }
        return callback != Callback.NANO_TIME ? builder.build() : builder.linger(Duration.ofMillis(2)).nanoTime(() -> {
            trap.pass(Callback.NANO_TIME);
            now += 1_000_000;
            return now;
        }).build();
    }

    private VirtioBlock disk(Path file) throws IOException {
        VirtioBlockBuilder builder = new VirtioBlockBuilder(readOnly -> {
            TestFile made = new TestFile(file, readOnly);
            made.hook = (operation, position) -> trap.pass(Callback.FILE);
            return made;
        }).queueSize(BlockMachine.QUEUE_SIZE);
        return worker ? builder.workers(Idle::new).build() : builder.servedInKicks().build();
    }

    private CallbackGuest connect(VirtioDevice device, DmaSpace dma, Callback.Owner owner, GuestRam ram) {
        boolean listens = owner == Callback.Owner.DISK;
        DeviceListener listener = listens ? new Listener() : DeviceListener.NONE;
        Callback.Route route = owner == callback.owner ? callback.route : Callback.Route.ANY;
        return pci ? CallbackGuest.overPci(device, dma, level -> line(owner), sink(owner), route, listener, ram)
                : CallbackGuest.overMmio(device, dma, level -> line(owner), listener, ram);
    }

    private void line(Callback.Owner owner) {
        switch (owner) {
            case IOMMU -> trap.pass(Callback.IOMMU_LINE);
            case DISK -> trap.pass(Callback.DISK_LINE);
            case OWN -> trap.pass(Callback.OWN_LINE);
            case ENTROPY -> { }
        }
    }

    private InterruptSink sink(Callback.Owner owner) {
        boolean ofIommu = owner == Callback.Owner.IOMMU;
        return new InterruptSink() {
            @Override
            public void raise(int vector) {
                trap.pass(ofIommu ? Callback.IOMMU_VECTOR : Callback.DISK_VECTOR);
            }

            @Override
            public void forget(int vector) {
                trap.pass(ofIommu ? Callback.IOMMU_FORGET : Callback.DISK_FORGET);
            }
        };
    }

    private final class Listener implements DeviceListener {
        @Override
        public void featuresRefused(String reason) {
            trap.pass(Callback.FEATURES_REFUSED);
        }

        @Override
        public void needsReset(String reason) {
            trap.pass(Callback.NEEDS_RESET);
        }

        @Override
        public void resetCompleted(ResetKind kind) {
            trap.pass(Callback.RESET_COMPLETED);
        }
    }

    /** Says when a worker has found nothing to do. */
    private final class Idle implements IdleStrategy {
        @Override
        public void idle(int workCount) {
            if (workCount == 0) {
                idles.incrementAndGet();
                LockSupport.parkNanos(1_000);
            } else {
                trap.pass(Callback.IDLE_STRATEGY);
            }
        }

        @Override
        public void idle() {
            LockSupport.parkNanos(1_000);
        }

        @Override
        public void reset() {
            // There is no state.
        }
    }

    // What the guest does

    /** Goes on until something comes out; null if nothing did. */
    boolean run() {
        for (Step step : steps()) {
            try {
                step.run();
            } catch (RuntimeException | Error failure) {
                trap.out(failure);
            }
            boolean ignored = Thread.interrupted();
            quiesce();
            if (trap.isOut() || trap.thrown() != null) {
                return true;
            }
        }
        return false;
    }

    private List<Step> steps() {
        return List.of(
                () -> reset(Callback.Owner.DISK), () -> reset(Callback.Owner.OWN), () -> reset(Callback.Owner.ENTROPY),
                () -> reset(Callback.Owner.IOMMU),
                this::startIommu, () -> attach(DISK), () -> attach(ENTROPY), () -> attach(OWN),
                () -> start(Callback.Owner.DISK), () -> start(Callback.Owner.ENTROPY), () -> start(Callback.Owner.OWN),
                this::useDisk, this::useEntropy, this::useOwn, this::map, this::unmapUnderDma, this::useEntropy,
                this::fault, this::useDisk, this::fault, this::useOwn, this::writeBypass, this::configure,
                this::moveEndpoint, this::resetOwnQueue, this::useOwn, this::breakDisk,
                () -> reset(Callback.Owner.DISK), this::beRefused, () -> reset(Callback.Owner.DISK),
                () -> start(Callback.Owner.DISK), this::useDisk, this::useOwn,
                () -> reset(Callback.Owner.OWN), () -> start(Callback.Owner.OWN), this::useOwn,
                () -> reset(Callback.Owner.DISK), () -> reset(Callback.Owner.OWN), () -> reset(Callback.Owner.ENTROPY),
                () -> reset(Callback.Owner.IOMMU));
    }

    private void startIommu() {
        enter(Phase.START, Callback.Owner.IOMMU);
        for (int step : new int[] {0, 1, 3, 11}) {
            assertEquals(StartResult.OK, driver.writeStatus(step));
        }
        toIommu.useMessages();
        assertEquals(StartResult.OK, driver.writeStatus(15));
        toIommu.running = true;
    }

    private void attach(int endpoint) {
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        ok(driver.attach(0, endpoint, endpoint, 0));
        ok(driver.map(0, endpoint, 0, RAM - 1, 0, READ_WRITE));
        ok(driver.map(0, endpoint, CallbackGuest.DOORBELL, CallbackGuest.DOORBELL + PAGE - 1, CallbackGuest.DOORBELL,
                READ_WRITE));
        sync();
    }

    private void start(Callback.Owner who) {
        enter(Phase.START, who);
        guest(who).start();
        acknowledge(who);
    }

    private void reset(Callback.Owner who) {
        enter(Phase.RESET, who);
        guest(who).reset();
        assertTrue(guest(who).isReset());
    }

    private void useDisk() {
        enter(Phase.SERVE, Callback.Owner.DISK);
        byte[] data = new byte[SECTOR];
        data[7] = 7;
        disk(DiskRequests.out(1, data), 1);
        disk(DiskRequests.in(1), SECTOR + 1);
        disk(DiskRequests.flush(), 1);
    }

    private void disk(byte[] request, int writable) {
        enter(Phase.SERVE, Callback.Owner.DISK);
        if (toDisk.send(request, writable, this::isOver)) {
            assertEquals(0, toDisk.written(request.length + writable - 1), "status");
            boolean read = writable > 1;
            assertEquals(read ? 7 : 0, read ? toDisk.written(request.length + 7) : 0, "data");
        }
        acknowledge(Callback.Owner.DISK);
    }

    private void useEntropy() {
        enter(Phase.SERVE, Callback.Owner.ENTROPY);
        assertTrue(toEntropy.send(new byte[0], 16, this::isOver));
        acknowledge(Callback.Owner.ENTROPY);
    }

    private void useOwn() {
        enter(Phase.SERVE, Callback.Owner.OWN);
        if (toOwn.send(new byte[0], 16, this::isOver)) {
            assertEquals(CallbackDevice.VALUE, toOwn.written(0));
        }
        acknowledge(Callback.Owner.OWN);
    }

    private void map() {
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
    private void unmapUnderDma() {
        if (callback != Callback.STALL_LISTENER) {
            return;
        }
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        ok(driver.map(0, DISK, FREE_IOVA, FREE_IOVA + PAGE - 1, 0, READ_WRITE));
        sync();
        stalled = new CountDownLatch(1);
        try (Parked inside = Parked.between(onlooker::enter, () -> {
            Parked.await(stalled);
            onlooker.leave();
        })) {
            inside.letGo();
            ok(driver.unmap(0, DISK, FREE_IOVA, FREE_IOVA + PAGE - 1));
            sync();
        }
    }

    /** What is written to where nothing is mapped is lost, and the IOMMU's driver hears of it. */
    private void fault() {
        enter(Phase.SERVE, Callback.Owner.DISK);
        assertTrue(toDisk.sendAt(FREE_IOVA, 16, FREE_IOVA + 16, 1, this::isOver) || isOver());
        acknowledge(Callback.Owner.DISK);
        acknowledge(Callback.Owner.IOMMU);
        enter(Phase.SERVE, Callback.Owner.OWN);
        assertTrue(toOwn.sendAt(FREE_IOVA, 0, FREE_IOVA + 16, 8, this::isOver) || isOver());
        acknowledge(Callback.Owner.OWN);
        acknowledge(Callback.Owner.IOMMU);
    }

    private void writeBypass() {
        enter(Phase.REGISTER, Callback.Owner.IOMMU);
        driver.writeBypass(1);
        driver.writeBypass(0);
    }

    private void configure() {
        enter(Phase.REGISTER, Callback.Owner.OWN);
        long ignored = toOwn.transport.readConfig(0, 4);
        toOwn.transport.writeConfig(0, 4, 1);
    }

    private void moveEndpoint() {
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        ok(driver.attach(0, 20, ONLOOKER, 0));
        ok(driver.map(0, 20, FREE_IOVA, FREE_IOVA + PAGE - 1, 0, READ_WRITE));
        ok(driver.attach(0, 21, ONLOOKER, 0));
        ok(driver.detach(0, 21, ONLOOKER));
        sync();
    }

    private void resetOwnQueue() {
        enter(Phase.REGISTER, Callback.Owner.OWN);
        toOwn.resetQueue();
    }

    /** Who throws when he is told of it finds the reason taken. */
    private void breakDisk() {
        enter(Phase.REGISTER, Callback.Owner.DISK);
        toDisk.breakRing();
        CallbackTrap.until(() -> toDisk.needsReset() || isOver());
        acknowledge(Callback.Owner.DISK);
    }

    private void beRefused() {
        enter(Phase.REGISTER, Callback.Owner.DISK);
        toDisk.beRefused();
    }

    // What must be so after a callback threw

    /** All that is promised of the device whose callback it was, and of the others. */
    void check(String when) {
        Phase during = phase;
        Callback.Owner where = at;
        assertNotNull(trap.thrown(), () -> when + ": something else came out");
        CallbackTrap.until(() -> trap.times() > 0);
        assertEquals(1, trap.times(), () -> when + ": how often it came out");
        String message = when + ", " + during + " of " + where;
        CallbackGuest failed = guest(callback.owner);
        if (during == Phase.RESET) {
            assertTrue(guest(where).isReset(), () -> message + ": never reset");
        } else if (during == Phase.SERVE || (during == Phase.START && failed.transport.status() != 0)) {
            checkReason(message, failed);
        }
        trap.disarm();
        serveOthers(message, during == Phase.SERVE);
    }

    private void checkReason(String message, CallbackGuest failed) {
        if (callback.told == Callback.Told.REASON) {
            assertTrue(failed.needsReset(), () -> message + ": NEEDS_RESET is not set");
            assertTrue(failed.reason().contains(callback + " failed"), () -> message + ": " + failed.reason());
        }
    }

    /** The queues of the other devices are served as before. */
    private void serveOthers(String message, boolean served) {
        quiesce();
        for (Callback.Owner who : Callback.Owner.values()) {
            boolean own = who == callback.owner && callback.told != Callback.Told.NOBODY;
            if (own || !guest(who).running || (who == at && !served) || guest(who).needsReset()) {
                continue;
            }
            CallbackGuest other = guest(who);
            switch (who) {
                case IOMMU -> map();
                case DISK -> useDisk();
                case ENTROPY -> useEntropy();
                case OWN -> useOwn();
            }
            quiesce();
            assertTrue(!other.needsReset(), () -> message + ": harmed " + who);
        }
    }

    /** Whoever was failed is reset, and then everything is as new. */
    void recover() {
        for (Callback.Owner who : Callback.Owner.values()) {
            reset(who);
        }
        startIommu();
        attach(DISK);
        attach(ENTROPY);
        attach(OWN);
        start(Callback.Owner.DISK);
        start(Callback.Owner.ENTROPY);
        start(Callback.Owner.OWN);
        useDisk();
        useEntropy();
        useOwn();
        map();
        fault();
        useDisk();
        useOwn();
        assertTrue(!toIommu.needsReset() && !toDisk.needsReset() && !toOwn.needsReset());
    }

    @Override
    public void close() throws IOException {
        trap.disarm();
        toDisk.close();
        toEntropy.close();
        toOwn.close();
        toIommu.close();
        onlooker.close();
        iommu.close();
        disk.close();
        memory.close();
    }

    // Around it

    private void enter(Phase now, Callback.Owner where) {
        phase = now;
        at = where;
    }

    private CallbackGuest guest(Callback.Owner who) {
        return switch (who) {
            case IOMMU -> toIommu;
            case DISK -> toDisk;
            case ENTROPY -> toEntropy;
            case OWN -> toOwn;
        };
    }

    private boolean isOver() {
        return trap.isOut();
    }

    /** The line goes down; whoever is told is not serving. */
    private void acknowledge(Callback.Owner who) {
        quiesce();
        enter(Phase.REGISTER, who);
        int ignored = guest(who).transport.takeInterrupts();
    }

    /** Waits until the worker has looked and found nothing. */
    private void quiesce() {
        if (worker && toDisk.running) {
            long before = idles.get();
            CallbackTrap.until(() -> idles.get() - before > 2);
        }
    }

    private void sync() {
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        ok(driver.sync());
        assertEquals(0, status, "status");
        acknowledge(Callback.Owner.IOMMU);
        enter(Phase.SERVE, Callback.Owner.IOMMU);
    }

    private static void ok(DriverResult result) {
        assertEquals(DriverResult.OK, result);
    }
}
