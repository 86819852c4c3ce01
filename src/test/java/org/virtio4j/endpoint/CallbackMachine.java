// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.agrona.concurrent.IdleStrategy;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.driver.DriverResult;
import org.virtio4j.driver.FaultReport;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.IommuDriver;
import org.virtio4j.driver.IommuDriverOptions;
import org.virtio4j.driver.StartResult;
import org.virtio4j.fixture.Parked;
import org.virtio4j.iommu.IommuCounters;
import org.virtio4j.iommu.IommuListener;
import org.virtio4j.iommu.ServedRequest;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.vmm.DmaHandle;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.vmm.Translator;
import org.virtio4j.wire.iommu.RequestType;

/**
 * A guest with an IOMMU and, behind it, a disk, an entropy source and a device of the embedder's own; all callbacks go
 * through a {@link CallbackTrap}. It does the same each time, step by step.
 */
final class CallbackMachine implements AutoCloseable {

    /** Where the guest is, which decides what may be expected of a device that was failed by a callback. */
    enum Phase { START, SERVE, REGISTER, RESET }

    /** Something that the guest does. */
    interface Step {
        void run();
    }

    private static final List<Callback.Owner> DEVICES = List.of(Callback.Owner.IOMMU, Callback.Owner.DISK,
            Callback.Owner.ENTROPY, Callback.Owner.OWN);
    private static final long RAM = 0x100_0000L;
    private static final long SPARE = 0x2000_0000L;
    private static final int READ_WRITE = 3;
    private static final int MMIO = 4;
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
    private final GuestMemory memory = new GuestMemory((holder, waited) -> memoryStalled());
    private final VirtioBlock disk;
    private final VirtioIommu iommu;
    private final CallbackGuest toIommu;
    private final CallbackGuest toDisk;
    private final CallbackGuest toEntropy;
    private final CallbackGuest toOwn;
    private final IommuDriver driver;
    private final FaultReport report = new FaultReport();
    private final DmaHandle onlooker;
    private final CallbackDevice own;
    private final CallbackIdles diskIdles = new CallbackIdles();
    private final CallbackIdles ownIdles = new CallbackIdles();
    private final MemorySegment spare = Arena.ofAuto().allocate(PAGE, PAGE);
    private volatile CountDownLatch stalled = new CountDownLatch(0);
    private final Behind behind = new Behind();
    private long now;
    private int status;

    /** What the IOMMU had counted before a callback threw. */
    private long listenerFailures;
    private Phase phase = Phase.START;
    private Callback.Owner at = Callback.Owner.IOMMU;

    CallbackMachine(Callback callback, CallbackTrap trap, boolean pci, boolean worker, Path file) throws IOException {
        this.callback = callback;
        this.trap = trap;
        this.pci = pci;
        this.worker = worker;
        memory.addAnonymous(0, RAM);
        memory.addDoorbell(CallbackGuest.DOORBELL, PAGE, (requester, address, data) ->
                trap.pass(CallbackSignals.of(ownerOf(requester)).message()));
        GuestRam ram = new GuestRam(memory, PAGE, RAM - PAGE);
        iommu = iommu();
        disk = disk(file);
        Translator real = iommu.translator(DISK);
        Translator trapped = callback.name().startsWith("TRANSL") ? new TrappedTranslator(real, trap) : real;
        toIommu = connect(iommu, DmaSpace.identity(memory), Callback.Owner.IOMMU, ram);
        toDisk = connect(disk, DmaSpace.of(memory, trapped, DISK), Callback.Owner.DISK, ram);
        toEntropy = connect(new VirtioEntropy(new Source()), DmaSpace.of(memory, iommu.translator(ENTROPY), ENTROPY),
                Callback.Owner.ENTROPY, ram);
        own = new CallbackDevice(trap, worker ? ownIdles : null);
        toOwn = connect(own, DmaSpace.of(memory, iommu.translator(OWN), OWN),
                Callback.Owner.OWN, ram);
        driver = new IommuDriver(toIommu.transport, ram, IommuDriverOptions.LINUX.withPollLimit(100),
                result -> status |= result.status());
        onlooker = DmaSpace.of(memory, iommu.translator(ONLOOKER)).open("onlooker");
    }

    private VirtioIommu iommu() {
        // Over PCI as a recorder, which hears of faults under one more lock.
        TrappedListener heard = new TrappedListener(trap, pci);
        VirtioIommuBuilder builder = VirtioIommu.builder().endpoint(DISK).endpoint(ENTROPY).endpoint(OWN)
                .endpoint(ONLOOKER).bootBypass(false).maxMappings(1_000).mappingListener(heard)
                .listener(heard).listener(behind);
        if (callback == Callback.LISTENER_STALLED) {
            builder.stallLimit(Duration.ofMillis(1));
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
        CallbackSignals signals = CallbackSignals.of(owner);
        Callback.Route route = owner == callback.owner ? callback.route : Callback.Route.ANY;
        InterruptLine line = level -> trap.pass(signals.line());
        return pci ? CallbackGuest.overPci(device, dma, line, signals.sink(trap), route, signals.listener(trap), ram)
                : CallbackGuest.overMmio(device, dma, line, signals.listener(trap), ram);
    }

    private static Callback.Owner ownerOf(int requester) {
        return switch (requester) {
            case DISK -> Callback.Owner.DISK;
            case ENTROPY -> Callback.Owner.ENTROPY;
            case OWN -> Callback.Owner.OWN;
            default -> Callback.Owner.IOMMU;
        };
    }

    private void memoryStalled() {
        stalled.countDown();
        trap.pass(Callback.MEMORY_STALL);
    }

    /** A listener that comes after the one that throws, and hears of everything all the same. */
    private final class Behind implements IommuListener {

        private final AtomicLong served = new AtomicLong();

        @Override
        public void served(ServedRequest request) {
            served.incrementAndGet();
        }

        @Override
        public void stalled(String holder, long waitedNanos) {
            stalled.countDown();
        }
    }

    /** Says when a worker has found nothing to do. */
    private final class Idle implements IdleStrategy {
        @Override
        public void idle(int workCount) {
            if (workCount == 0) {
                diskIdles.idle();
            } else {
                trap.pass(Callback.IDLE_STRATEGY);
            }
        }

        @Override
        public void idle() {
            diskIdles.idle();
        }

        @Override
        public void reset() {
            // There is no state.
        }
    }

    /** The host's random numbers, which are slow and not needed. */
    private final class Source extends SecureRandom {
        private static final long serialVersionUID = 1;

        @Override
        public void nextBytes(byte[] bytes) {
            trap.pass(Callback.ENTROPY_SOURCE);
        }
    }

    // What the guest does

    /** Goes through all that a guest does until something is thrown; false if nothing was. */
    boolean run() {
        for (Step step : steps()) {
            if (failsIn(step)) {
                return true;
            }
        }
        return false;
    }

    /** Does one thing again and again until something is thrown; everything must be running. */
    boolean runAgain(Step step, int most) {
        for (int i = 0; i < most; i++) {
            if (failsIn(step)) {
                return true;
            }
        }
        return false;
    }

    private boolean failsIn(Step step) {
        attempt(step);
        return trap.isOut() || trap.hasThrown();
    }

    private void attempt(Step step) {
        try {
            step.run();
        } catch (RuntimeException | Error failure) {
            trap.out(failure);
        }
        boolean ignored = Thread.interrupted();
        quiesce();
    }

    private List<Step> steps() {
        List<Step> all = new ArrayList<>();
        all.add(this::resetAll);
        all.addAll(startAll());
        all.addAll(List.of(this::useDisk, this::useEntropy, this::useOwn, this::map, this::unmapUnderDma, this::fault,
                this::useDisk, this::fault, this::useOwn, this::writeBypass, this::configure, this::moveEndpoint,
                this::resetQueue, this::useOwn, this::removeMemory, this::breakRing, this::resetAll, this::misplaceRing,
                this::resetAll, this::beRefused, this::resetAll));
        all.addAll(startAll());
        all.addAll(List.of(this::useDisk, this::useOwn, this::restart, this::useOwn, this::useDisk, this::resetAll));
        return all;
    }

    private List<Step> startAll() {
        return List.of(this::startIommu, () -> attach(DISK), () -> attach(ENTROPY), () -> attach(OWN),
                () -> start(Callback.Owner.DISK), () -> start(Callback.Owner.ENTROPY), () -> start(Callback.Owner.OWN));
    }

    /** What calls this callback most often while everything runs; null if only starts and resets do. */
    @Nullable Step often() {
        return oftenest(List.of(this::useDisk, this::useEntropy, this::useOwn, this::map, this::fault,
                this::writeBypass, this::configure, this::moveEndpoint, this::useAndResetQueue,
                this::removeMemory, this::unmapUnderDma));
    }

    /** The same among those. */
    @Nullable Step seldom() {
        return oftenest(List.of(this::restart, this::useAndStartAgain, this::startAgain,
                this::startBadlyAndAgain));
    }

    private @Nullable Step oftenest(List<Step> some) {
        Step best = null;
        int most = 0;
        for (Step step : some) {
            trap.arm(callback, CallbackTrap.Kind.EXCEPTION, 0, false);
            step.run();
            quiesce();
            if (trap.calls() > most) {
                best = step;
                most = trap.calls();
            }
        }
        trap.stop();
        return best;
    }

    private void startAgain() {
        resetAll();
        startAll().forEach(Step::run);
    }

    private void useAndResetQueue() {
        use(one());
        resetQueue();
    }

    private void useAndStartAgain() {
        DEVICES.forEach(this::use);
        fault();
        startAgain();
    }

    private void startBadlyAndAgain() {
        resetAll();
        misplaceRing();
        resetAll();
        beRefused();
        startAgain();
    }

    private void resetAll() {
        reset(Callback.Owner.DISK);
        reset(Callback.Owner.OWN);
        reset(Callback.Owner.ENTROPY);
        reset(Callback.Owner.IOMMU);
    }

    /** Which device this is about, where it could be any. */
    private Callback.Owner one() {
        return callback.owner == Callback.Owner.MEMORY ? Callback.Owner.DISK : callback.owner;
    }

    private void restart() {
        if (one() != Callback.Owner.IOMMU) {
            reset(one());
            start(one());
        }
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
        if (callback == Callback.LISTENER_DOORBELL) {
            ok(driver.map(0, endpoint, 2 * FREE_IOVA, 2 * FREE_IOVA + PAGE - 1, SPARE, READ_WRITE | MMIO));
        }
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
        }
    }

    /** An embedder adds a page, and takes it away again. */
    private void removeMemory() {
        enter(Phase.REGISTER, Callback.Owner.MEMORY);
        MemoryRegion region = memory.add(SPARE, spare, RegionKind.RAM, () -> trap.pass(Callback.MEMORY_RELEASED));
        if (callback == Callback.MEMORY_STALL) {
            underDma(() -> memory.remove(region, Duration.ofMillis(1)));
        } else {
            memory.remove(region, Duration.ofSeconds(1));
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

    /** One queue ends and begins while its device goes on. */
    private void resetQueue() {
        if (one() != Callback.Owner.IOMMU) {
            enter(callback.opensQueue() ? Phase.SERVE : Phase.REGISTER, one());
            guest(one()).resetQueue();
        }
    }

    /** Who throws when he is told of it finds the reason taken. */
    private void breakRing() {
        if (one() == Callback.Owner.IOMMU) {
            return;
        }
        enter(Phase.REGISTER, one());
        guest(one()).breakRing();
        CallbackTrap.until(() -> guest(one()).needsReset() || isOver());
        acknowledge(one());
    }

    private void misplaceRing() {
        enter(Phase.REGISTER, one());
        guest(one()).misplaceRing();
    }

    private void beRefused() {
        enter(Phase.REGISTER, one());
        guest(one()).beRefused();
    }

    // What must be so after a callback threw

    /** All that is promised of the device whose callback it was, and of the others. */
    void check(String when, boolean persists) {
        Phase during = phase;
        Callback.Owner where = at;
        String message = when + ", " + during + " of " + where;
        assertTrue(trap.hasThrown(), () -> message + ": something else came out: " + trap.something());
        if (callback.told == Callback.Told.COUNTED) {
            checkCounted(message, persists, where);
            return;
        }
        CallbackTrap.until(trap::isAllOut);
        boolean serves = callback.told == Callback.Told.REASON
                && (during == Phase.SERVE || (during == Phase.START && status(callback.owner) != 0));
        if (serves) {
            CallbackGuest failed = guest(callback.owner);
            assertTrue(failed.needsReset(), () -> message + ": NEEDS_RESET is not set");
            assertTrue(failed.reason().contains(callback + " failed"), () -> message + ": " + failed.reason());
        }
        if (persists) {
            goOn(message, during, where);
        }
        trap.stop();
        CallbackTrap.until(trap::isAllOut);
        trap.checkOnce(message);
        if (during == Phase.RESET) {
            assertTrue(guest(where).isReset(), () -> message + ": never reset");
        }
        if (!persists) {
            serveOthers(message, during == Phase.SERVE, where, callback.told == Callback.Told.NOBODY);
        }
    }

    /** Nothing has come out and nothing has changed, whether the listener goes on throwing or not. */
    private void checkCounted(String message, boolean persists, Callback.Owner where) {
        if (!persists) {
            trap.stop();
        }
        serveOthers(message, phase == Phase.SERVE, where, true);
        trap.stop();
        quiesce();
        assertTrue(!trap.isOut(), () -> message + ": came out: " + trap.something());
        DEVICES.forEach(who -> assertTrue(!guest(who).needsReset(), () -> message + ": harmed " + who));
        IommuCounters counters = iommu.counters();
        assertEquals(trap.thrown(), counters.listenerFailures() - listenerFailures, message);
        assertSame(trap.lastThrown(), counters.lastListenerFailure().orElseThrow(), message);
        listenerFailures = counters.listenerFailures();
        assertEquals(requests(counters), behind.served.get(), message + ": requests that the next listener heard of");
    }

    private static long requests(IommuCounters counters) {
        return counters.unanswered() + IntStream.rangeClosed(RequestType.ATTACH, RequestType.PROBE)
                .mapToLong(counters::requests).sum();
    }

    /** The callback goes on throwing, which is its device's business alone; until that is reset, too. */
    private void goOn(String message, Phase during, Callback.Owner where) {
        serveOthers(message, during == Phase.SERVE, where, false);
        if (where == Callback.Owner.MEMORY) {
            attempt(this::removeMemory);
            return;
        }
        for (int i = 0; i < 2; i++) {
            attempt(() -> guest(where).transport.notifyQueue(0));
            attempt(() -> status(where));
        }
        attempt(guest(where)::reset);
    }

    private int status(Callback.Owner who) {
        return guest(who).transport.status();
    }

    /** The queues of the other devices are served as before. */
    private void serveOthers(String message, boolean served, Callback.Owner where, boolean itself) {
        quiesce();
        for (Callback.Owner who : DEVICES) {
            boolean own = who == callback.owner && !itself;
            if (own || !guest(who).running || (who == where && !served) || guest(who).needsReset()) {
                continue;
            }
            use(who);
            quiesce();
            assertTrue(!guest(who).needsReset(), () -> message + ": harmed " + who);
        }
        enter(Phase.REGISTER, where);
    }

    private void use(Callback.Owner who) {
        switch (who) {
            case IOMMU -> map();
            case DISK -> useDisk();
            case ENTROPY -> useEntropy();
            case OWN -> useOwn();
            case MEMORY -> removeMemory();
        }
    }

    /** All are reset, and then everything is as new. */
    void recover() {
        startAgain();
        DEVICES.forEach(this::use);
        fault();
        DEVICES.forEach(who -> assertTrue(!guest(who).needsReset(), () -> who + ": " + guest(who).reason()));
    }

    @Override
    public void close() throws IOException {
        trap.stop();
        toDisk.close();
        toEntropy.close();
        toOwn.close();
        toIommu.close();
        onlooker.close();
        own.close();
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
            case MEMORY -> throw new IllegalArgumentException("the memory is no device");
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

    /** Waits until the workers have looked and found nothing. */
    private void quiesce() {
        if (worker && toDisk.running) {
            diskIdles.settle();
        }
        if (worker) {
            ownIdles.settle();
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
