// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.endpoint.BlockOutcome;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioConsole;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.IommuCapabilities;
import org.virtio4j.iommu.embedder.IovaRange;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.InterruptLine;
import org.virtio4j.vmm.InterruptSink;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.MessageSink;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

/** Runs what the documents show. */
class GuideTest {

    private static final long WINDOW = 0x4000_0000L;
    private static final long WINDOW_SIZE = 1 << 20;

    @Test
    void shouldAnswerAnAccessOfTheFirstExample() {
        assertEquals(2, firstExample(PciInterrupts.messages(), 0x04, 2, 2, 0x12), "two queues");
        assertEquals(0xffff, firstExample(PciInterrupts.messages(), 0x04, 0, 2, 0x12), "memory space is off");
    }

    @SuppressWarnings("UnusedVariable") // a device would use its handle
    private static long firstExample(PciInterrupts interrupts, int register, long bits, int width, long offset) {
        long answer;
        long value = 0;
        // guide: begin
        try (GuestMemory memory = GuestMemory.anonymous(0x0, 1L << 30)) {
            VirtioIommu iommu = VirtioIommu.builder()
                    .endpoint(0x48)                                          // 00:09.0 in the guest's topology
                    .reserved(ReservedRegions.X86_MSI)                       // for x86; other boards have others
                    .build();
            VirtioPciFunction function = VirtioPciFunction.of(iommu, DmaSpace.identity(memory), interrupts);

            DmaSpace diskDma = DmaSpace.of(memory, iommu.translator(0x48));  // a disk's DMA goes through the IOMMU
            DmaHandle dma = diskDma.open("disk, queue 0");

            // from the hypervisor's exit handler, on the virtual CPU's thread:
            function.writeConfig(register, width, bits);
            answer = function.readBar(4, offset, width);
            function.writeBar(4, offset, width, value);    // a doorbell: served here or by the thread that serves
        }
        // guide: end
        return answer;
    }

    @Test
    void shouldRouteAccessesOfAHypervisorWithItsOwnBus() {
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            VirtioPciFunction function = VirtioPciFunction.of(new EntropyDevice(), DmaSpace.identity(memory),
                    PciInterrupts.messages());
            PciSlot slot = new PciSlot(function);
            assertEquals(0x1044_1af4L, slot.readConfig(0, 4));
            slot.writeConfig(0x20, 4, 0xe000_0000L);
            assertFalse(slot.write(0xe000_0014L, 1, 1), "not enabled yet");
            slot.writeConfig(0x04, 2, 2);
            assertTrue(slot.write(0xe000_0014L, 1, 1));
            assertEquals(1, function.readBar(4, 0x14, 1));
            assertFalse(slot.write(0xe000_0000L + function.barSize(4), 1, 1));
        }
    }

    @Test
    void shouldFindBothFunctionsOfTheBus() {
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            VirtioIommu iommu = VirtioIommu.builder().endpoint(2 << 3).build();
            PciInterrupts interrupts = PciInterrupts.messages();
            // guide: begin
            PciBus bus = new PciBus(0x4000_0000L, 1 << 20);              // where the guest may place BARs
            bus.add(1, 0, VirtioPciFunction.of(iommu, DmaSpace.identity(memory, 1 << 3), interrupts));
            bus.add(2, 0, VirtioPciFunction.of(new EntropyDevice(),
                    DmaSpace.of(memory, iommu.translator(2 << 3), 2 << 3), interrupts));

            map(0x3000_0000L, PciBus.ECAM_SIZE, bus.ecam());             // your hypervisor's own map of windows
            map(0x4000_0000L, 1 << 20, bus.memory());
            // guide: end
            assertEquals(2, new PciHost(bus.ecam(), bus.memory(), WINDOW, WINDOW_SIZE).scan().size());
        }
    }

    @Test
    void shouldPutADiskAndEntropyOnTheBus(@TempDir Path folder) throws IOException {
        Path image = Files.write(folder.resolve("disk.img"), new byte[1 << 20]);
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            VirtioIommu iommu = VirtioIommu.builder().endpoint(2 << 3).endpoint(3 << 3).build();
            PciInterrupts interrupts = PciInterrupts.messages();
            PciBus bus = new PciBus(WINDOW, WINDOW_SIZE);
            // guide: begin
            VirtioBlock disk = VirtioBlock.builder(image)
                    .queues(2)
                    .id("system")                                    // the serial number that Linux shows
                    .build();
            bus.add(2, 0, VirtioPciFunction.of(disk,
                    DmaSpace.of(memory, iommu.translator(2 << 3), 2 << 3), interrupts));
            bus.add(3, 0, VirtioPciFunction.of(new VirtioEntropy(),
                    DmaSpace.of(memory, iommu.translator(3 << 3), 3 << 3), interrupts));

            disk.resize(2 << 20);                                    // the driver is told
            long refused = disk.counters().outcomes(BlockOutcome.OUT_OF_RANGE);
            disk.close();                                            // after the last reset: no thread is left
            // guide: end
            assertEquals(2, new PciHost(bus.ecam(), bus.memory(), WINDOW, WINDOW_SIZE).scan().size());
            assertEquals(2 << 20, Files.size(image));
            assertEquals(0, refused);
        }
    }

    @Test
    void shouldPutAConsoleOnTheBus(@TempDir Path folder) throws IOException {
        Path logFile = folder.resolve("console.log");
        byte[] typed = {'l', 's', '\n'};
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            PciInterrupts interrupts = PciInterrupts.messages();
            PciBus bus = new PciBus(WINDOW, WINDOW_SIZE);
            // guide: begin
            WritableByteChannel log = FileChannel.open(logFile, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            VirtioConsole console = new VirtioConsole(log::write);
            bus.add(4, 0, VirtioPciFunction.of(console, DmaSpace.identity(memory), interrupts));

            console.resize(80, 25);                                  // the driver is told
            int taken = console.input(ByteBuffer.wrap(typed));       // 64 KiB are kept for a guest that takes none
            console.outputReady();                                   // after a write of the log's took no bytes
            console.close();                                         // after the last reset: no thread is left
            // guide: end
            log.close();
            assertEquals(1, new PciHost(bus.ecam(), bus.memory(), WINDOW, WINDOW_SIZE).scan().size());
            assertEquals(typed.length, taken);
        }
    }

    @Test
    void shouldPollADiskInAStep(@TempDir Path folder) throws IOException {
        Path image = Files.write(folder.resolve("disk.img"), new byte[1 << 20]);
        LatchingController plic = new LatchingController();
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            DmaSpace dma = DmaSpace.identity(memory);
            // guide: begin
            VirtioBlock disk = VirtioBlock.builder(image).polled().build();
            SteppedDevice stepped = new SteppedDevice(disk, dma, () -> plic.raise(3), () -> plic.lower(3));
            // guide: end
            stepped.step();
            assertEquals(2, stepped.load(0x08, 2), "a disk");
            assertTrue(plic.isIdle());
            disk.close();
        }
    }

    private static void map(long start, long size, RegisterHandler window) {
        assertTrue(start > 0 && size > 0);
        assertNotEquals(0, window.read(0, 4));
    }

    @Test
    void shouldShowTheLevelOnTheSteppingThread() {
        List<String> shown = new ArrayList<>();
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            SteppedDevice stepped = new SteppedDevice(new EntropyDevice(), DmaSpace.identity(memory),
                    () -> shown.add("raise"), () -> shown.add("lower"));
            assertEquals(0x7472_6976L, stepped.load(0, 2));
            stepped.store(0x70, 3, 2);
            stepped.store(0x24, 1, 2);
            stepped.store(0x20, 1, 2);
            stepped.store(0x70, 11, 2);
            stepped.store(0x80, 1, 2);
            stepped.store(0x70, 15, 2);
            stepped.store(0x44, 1, 2);
            stepped.step();
            assertEquals(List.of("raise"), shown, "a misaligned queue needs a reset, and the guest is told");
            stepped.step();
            assertEquals(List.of("raise", "raise"), shown, "the guest has not acknowledged");
            stepped.store(0x64, 2, 2);
            stepped.step();
            stepped.step();
            assertEquals(List.of("raise", "raise", "lower"), shown);
        }
    }

    @Test
    void shouldDeliverInterruptsInEachWay() {
        List<Long> delivered = new ArrayList<>();
        InterruptLine line = level -> { };
        InterruptSink eventfds = vector -> { };
        MessageSink interruptController = (requesterId, address, data) -> delivered.add(address + data);
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            // guide: begin
            // The function keeps the MSI-X table: a message is a DMA write that ends in a doorbell.
            memory.addDoorbell(0xfee0_0000L, 1 << 20, interruptController);
            PciInterrupts byMessage = PciInterrupts.messages(line);

            // You deliver vectors, from a table of your own or with an eventfd for each.
            PciInterrupts byVector = PciInterrupts.vectors(eventfds, line);
            // guide: end
            assertTrue(byVector.vectors().isPresent());
            assertTrue(byMessage.vectors().isEmpty());
            assertEquals(DmaResult.OK, DmaSpace.identity(memory).messages("guide").send(0xfee0_0010L, 1));
            assertEquals(List.of(0xfee0_0011L), delivered);
        }
    }

    @Test
    void shouldComposeMemoryOfRegions(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("ram");
        try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
            sized.setLength(1 << 20);
        }
        List<Long> dirty = new ArrayList<>();
        // guide: begin
        GuestMemory memory = new GuestMemory((holder, nanos) -> System.err.println(holder + " holds a section"));
        memory.addAnonymous(0x0, 3L << 30);                              // below the hole for devices
        memory.addAnonymous(1L << 32, 1L << 30);                         // above 4 GiB
        MemoryRegion shared = memory.addFile(0x1_8000_0000L, file, 0, 1 << 20);    // another process maps it too

        memory.remove(shared, Duration.ofSeconds(1));                    // unplugged: waits for open sections

        memory.dirtyLog().start(4096);                                   // for live migration
        memory.dirtyLog().harvest((gpa, length) -> dirty.add(gpa));
        // guide: end
        assertEquals(List.of(), dirty);
        memory.close();
    }

    @Test
    void shouldTakeMemoryOfTheHosts() {
        GuestMemory memory = new GuestMemory();
        // guide: begin
        Arena arena = Arena.ofShared();                                  // closed when the region is no longer used
        MemoryRegion low = memory.add(0x0, arena.allocate(1 << 20, 16), RegionKind.RAM, arena::close);

        ByteBuffer buffer = ByteBuffer.allocateDirect((1 << 20) + 16).alignedSlice(16);    // a host with direct buffers
        MemorySegment high = MemorySegment.ofBuffer(buffer).asSlice(0, 1 << 20);
        memory.add(0x8000_0000L, high, RegionKind.RAM, () -> { });       // the garbage collector frees it after removal
        // guide: end
        memory.remove(low, Duration.ofSeconds(1));
        assertFalse(arena.scope().isAlive());
        memory.close();
        assertTrue(high.scope().isAlive());
    }

    @Test
    void shouldPrintCountersAndWhatTheyCount(@TempDir Path folder) throws IOException {
        Path image = Files.write(folder.resolve("disk.img"), new byte[1 << 20]);
        VirtioEntropy entropy = new VirtioEntropy();
        try (VirtioBlock disk = VirtioBlock.builder(image).polled().build()) {
            // guide: begin
            VirtioIommu iommu = VirtioIommu.builder()
                    .endpoint(8)
                    .listener(new IommuLog(System.err::println))
                    .build();
            // guide: end
            // guide: begin
            List<IovaRange> usable = iommu.usableRanges(8);    // the input range less reserved regions
            IommuCapabilities able = iommu.capabilities(8);    // these, page sizes, bypass, and more
            // guide: end
            assertEquals(usable, able.usable());
            // guide: begin
            System.err.println(iommu.counters());
            System.err.println(disk.counters());
            System.err.println(entropy.counters());

            long maps = iommu.counters().requests(RequestType.MAP);              // of org.virtio4j.wire.iommu
            long noRoom = iommu.counters().statuses(RequestStatus.NOMEM);
            long failed = disk.counters().outcomes(BlockOutcome.FILE);
            // guide: end
            assertEquals(0, maps + noRoom + failed);
        }
    }

    @Test
    void shouldLogWhatAnEmbedderShouldHearOf() {
        List<String> log = new ArrayList<>();
        IommuLog heard = new IommuLog(log::add);
        heard.served(answeredWith(RequestStatus.OK));
        heard.served(answeredWith(RequestStatus.NOMEM));
        heard.unreservedDoorbell(8, 0xffff_f000L, 0x809_0000L);
        assertEquals(List.of("a limit of mappings or domains is reached, and Linux may not recover from that",
                "endpoint 8 needs a reserved region for the doorbell at 0x8090000, or its interrupts are lost"), log);
    }

    /** A request of which a listener asks nothing else. */
    private static ServedRequest answeredWith(int status) {
        return (ServedRequest) Proxy.newProxyInstance(ServedRequest.class.getClassLoader(),
                new Class<?>[] {ServedRequest.class}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "understood" -> true;
                    case "status" -> status;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    @Test
    void shouldGiveEachFunctionItsOwnView() {
        VirtioIommu iommu = VirtioIommu.builder().endpoint(0x48).build();
        PciInterrupts interrupts = PciInterrupts.messages();
        MemorySegment ram = Arena.ofShared().allocate(1 << 20, 4096);
        // guide: begin
        GuestMemory ofIommu = new GuestMemory();
        GuestMemory ofDisk = new GuestMemory();
        for (GuestMemory view : List.of(ofIommu, ofDisk)) {
            view.add(0x0, ram, RegionKind.RAM, () -> { });    // each may change at its own time
        }
        VirtioPciFunction first = VirtioPciFunction.of(iommu, DmaSpace.identity(ofIommu, 0x40), interrupts);
        DmaSpace diskDma = DmaSpace.of(ofDisk, iommu.translator(0x48), 0x48);
        // guide: end
        assertTrue(diskDma.translated());
        assertEquals(3, first.vectorCount());
        ofIommu.close();
        ofDisk.close();
    }

    @Test
    void shouldCopyInsideASection() {
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            DmaSpace space = DmaSpace.identity(memory);
            MemorySegment buffer = Arena.ofAuto().allocate(4096);
            long iova = 0x2000;
            // guide: begin
            DmaHandle dma = space.open("disk, worker 1");      // at set-up, one for each thread that copies
            DmaResult result;
            dma.enter();                                       // from here no UNMAP completes ...
            try {
                result = dma.write(iova, buffer, 0, 4096);
            } finally {
                dma.leave();                                   // ... until here: copy and go, never wait inside
            }
            // guide: end
            assertEquals(DmaResult.OK, result);
            dma.close();
        }
    }

    @Test
    void shouldResetTheMachineInAnyOrder() {
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            VirtioIommu iommu = VirtioIommu.builder().endpoint(0x48).build();
            VirtioPciFunction iommuFunction =
                    VirtioPciFunction.of(iommu, DmaSpace.identity(memory), PciInterrupts.messages());
            VirtioPciFunction disk = VirtioPciFunction.of(new EntropyDevice(),
                    DmaSpace.of(memory, iommu.translator(0x48)), PciInterrupts.messages());
            // guide: begin
            iommuFunction.reset(ResetKind.SYSTEM);    // the disk, at work, reaches nothing any more ...
            disk.reset(ResetKind.SYSTEM);             // ... and is now as after power-on

            disk.reset(ResetKind.FUNCTION);           // one device alone
            disk.close();                             // for good, when it is unplugged
            // guide: end
            assertEquals(0, iommu.liveDomains());
        }
    }

    @Test
    void shouldFillABufferOfADriver() {
        // guide: begin
        try (GuestMemory memory = GuestMemory.anonymous(0x0, 1 << 20)) {
            PciBus bus = new PciBus(0x4000_0000L, 1 << 20);
            bus.add(1, 0, VirtioPciFunction.of(new EntropyDevice(), DmaSpace.identity(memory),
                    PciInterrupts.messages()));

            PciHost host = new PciHost(bus.ecam(), bus.memory(), 0x4000_0000L, 1 << 20);
            PciDriverTransport transport = host.scan().getFirst();       // as a guest finds it
            GuestRam ram = new GuestRam(memory, 0x0, 1 << 20);
            VirtioDriver driver = new VirtioDriver(transport, FeatureSet.of(FeatureBit.VERSION_1));
            assertEquals(StartResult.OK, driver.begin());
            DriverQueue queue = driver.queue(0, QueueMemory.pageAligned(ram, 8));
            assertEquals(StartResult.OK, driver.enable(queue));
            assertEquals(StartResult.OK, driver.driverOk());

            GuestBuffer buffer = ram.buffer(64, 64);
            queue.add(1, 0, 0, buffer.address(), 64);                    // 64 bytes that the device may write
            driver.kick(queue);
            assertTrue(queue.poll());
            assertEquals(64, queue.usedLength());
            assertNotEquals(0, buffer.i64(0) | buffer.i64(8));
        }
        // guide: end
    }

    @Test
    void shouldSayWhyADeviceNeedsAReset() {
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            PciBus bus = new PciBus(WINDOW, WINDOW_SIZE);
            VirtioPciFunction function = VirtioPciFunction.of(new EntropyDevice(), DmaSpace.identity(memory),
                    PciInterrupts.messages());
            bus.add(1, 0, function);
            PciDriverTransport transport =
                    new PciHost(bus.ecam(), bus.memory(), WINDOW, WINDOW_SIZE).scan().getFirst();
            VirtioDriver driver = new VirtioDriver(transport, FeatureSet.of(FeatureBit.VERSION_1));
            assertEquals(StartResult.OK, driver.begin());
            assertTrue(transport.enableQueue(0, 8, 0x7000_0000L, 0x7000_1000L, 0x7000_2000L));
            assertEquals(StartResult.NOT_LIVE, driver.driverOk());
            assertEquals("queue 0: RING_UNREACHABLE", function.needsResetReason());
            assertTrue((transport.status() & DeviceStatus.NEEDS_RESET) != 0);
        }
    }
}
