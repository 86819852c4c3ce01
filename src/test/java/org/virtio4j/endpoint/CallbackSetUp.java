// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.IdleStrategy;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.FaultReport;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.InterruptSink;

/**
 * The devices of a guest: an IOMMU and, behind it, a disk, an entropy source and a device of the embedder's own. All
 * callbacks go through a {@link CallbackTrap}.
 */
abstract class CallbackSetUp implements AutoCloseable {

    /** Where the guest is, which decides what may be expected of a device that was failed by a callback. */
    enum Phase { START, SERVE, REGISTER, RESET }

    /** Something that the guest does. */
    interface Step {
        void run();
    }

    static final List<Callback.Owner> DEVICES = List.of(Callback.Owner.IOMMU, Callback.Owner.DISK,
            Callback.Owner.ENTROPY, Callback.Owner.OWN);
    static final long RAM = 0x100_0000L;
    static final long SPARE = 0x2000_0000L;
    static final int READ_WRITE = 3;
    static final int MMIO = 4;
    static final int DISK = 8;
    static final int ENTROPY = 9;
    static final int OWN = 10;
    static final int ONLOOKER = 11;
    static final long FREE_IOVA = 0x1_0000_0000L;
    static final long PAGE = 4096;
    static final int SECTOR = DiskRequests.SECTOR;

    final Callback callback;
    final CallbackTrap trap;
    private final TrappedListener heard;
    final boolean pci;
    final boolean worker;
    final GuestMemory memory = new GuestMemory((holder, waited) -> memoryStalled());
    final VirtioBlock disk;
    final VirtioIommu iommu;
    final CallbackGuest toIommu;
    final CallbackGuest toDisk;
    final CallbackGuest toEntropy;
    final CallbackGuest toOwn;
    final IommuDriver driver;
    final FaultReport report = new FaultReport();
    final DmaHandle onlooker;
    final CallbackDevice own;
    private final CallbackIdles diskIdles = new CallbackIdles();
    private final CallbackIdles ownIdles = new CallbackIdles();
    final MemorySegment spare = Arena.ofAuto().allocate(PAGE, PAGE);
    volatile CountDownLatch stalled = new CountDownLatch(0);
    final Behind behind = new Behind();
    private long now;
    int status;

    /** What the IOMMU had counted before a callback threw. */
    long listenerFailures;
    Phase phase = Phase.START;
    Callback.Owner at = Callback.Owner.IOMMU;

    /** It has thrown out of an unmap, and is to join again. */
    private boolean expelled;

    CallbackSetUp(Callback callback, CallbackTrap trap, boolean pci, boolean worker, Path file) throws IOException {
        this.callback = callback;
        this.trap = trap;
        this.pci = pci;
        this.worker = worker;
        // Over PCI as a recorder, which hears of faults under one more lock.
        this.heard = new TrappedListener(trap, pci, () -> expelled = true);
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

    /** Whether all devices behind the IOMMU are blocked until {@link #joinAgain}. */
    boolean isExpelled() {
        return expelled;
    }

    /** What was expelled comes back; to be called while nothing is attached. */
    void joinAgain() {
        if (expelled) {
            expelled = false;
            iommu.leave(heard);
            assertEquals(MappingListener.Answer.DONE, iommu.join(heard));
        }
    }

    private VirtioIommu iommu() {
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
        InterruptLine line = level -> trap.pass(signals.line());
        if (!pci) {
            return CallbackGuest.overMmio(device, dma, line, signals.listener(trap), ram);
        }
        Callback.Route route = owner == callback.owner ? callback.route : Callback.Route.ANY;
        InterruptSink sink = signals.sink(trap);
        PciInterrupts routes = route == Callback.Route.VECTORS && sink != null ? PciInterrupts.vectors(sink, line)
                : PciInterrupts.messages(line);
        boolean messages = route == Callback.Route.VECTORS || route == Callback.Route.MESSAGES;
        return CallbackGuest.overPci(device, dma, routes, messages, signals.listener(trap), ram);
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
    final class Behind implements IommuListener {

        final AtomicLong served = new AtomicLong();

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

    void enter(Phase now, Callback.Owner where) {
        phase = now;
        at = where;
    }

    CallbackGuest guest(Callback.Owner who) {
        return switch (who) {
            case IOMMU -> toIommu;
            case DISK -> toDisk;
            case ENTROPY -> toEntropy;
            case OWN -> toOwn;
            case MEMORY -> throw new IllegalArgumentException("the memory is no device");
        };
    }

    boolean isOver() {
        return trap.isOut();
    }

    /** The line goes down; whoever is told is not serving. */
    void acknowledge(Callback.Owner who) {
        quiesce();
        enter(Phase.REGISTER, who);
        int ignored = guest(who).transport.takeInterrupts();
    }

    /** Waits until the workers have looked and found nothing. */
    void quiesce() {
        if (worker && toDisk.running) {
            diskIdles.awaitIdle();
        }
        if (worker) {
            ownIdles.awaitIdle();
        }
    }

    void sync() {
        enter(Phase.SERVE, Callback.Owner.IOMMU);
        ok(driver.sync());
        assertEquals(0, status, "status");
        acknowledge(Callback.Owner.IOMMU);
        enter(Phase.SERVE, Callback.Owner.IOMMU);
    }

    static void ok(DriverResult result) {
        assertEquals(DriverResult.OK, result);
    }
}
