// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.Features;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.Access;

/**
 * What becomes of messages, data writes and reads at a doorbell's address: the table of {@link ReservedRegions}, row by
 * row. The device is a PCI function whose MSI-X table a guest driver has filled.
 */
class MessageWindowTest extends IommuTests {

    private static final long WINDOW = 0xfee0_0000L;
    private static final long SIZE = 0x10_0000;
    private static final long MESSAGE = WINDOW + 0x1000;
    private static final ReservedRegions HOLE =
            ReservedRegions.of(new ReservedRegion(WINDOW, WINDOW + SIZE - 1, ReservedRegion.Kind.RESERVED));
    private static final long BARS = 0xc000_0000L;
    private static final long BARS_SIZE = 1 << 20;
    private static final int REQUESTER = 0x40;
    private static final int DATA = 7;

    /** The requester, the address and the data of each message that arrived. */
    private final List<String> messages = new ArrayList<>();
    private final RecordingDevice device = new RecordingDevice(Features.NONE);

    /** What an endpoint has at the window, and what it is attached to. */
    enum State {
        /** An MSI region, and a domain with mappings, none of which lies there. */
        MSI_IN_DOMAIN,
        /** An MSI region, and a bypass domain. */
        MSI_IN_BYPASS_DOMAIN,
        /** An MSI region, attached to nothing, and the bypass byte is 1. */
        MSI_IN_BYPASS,
        /** An MSI region, attached to nothing, and the bypass byte is 0. */
        MSI_BLOCKED,
        /** A region of kind RESERVED, in bypass. */
        RESERVED_IN_BYPASS,
        /** No region, and a mapping that leads there. */
        MAPPED,
        /** No region, and a domain without such a mapping. */
        UNMAPPED,
        /** No region, in bypass. */
        BYPASS,
        /** No IOMMU stands before the device. */
        NO_IOMMU;

        ReservedRegions regions() {
            return switch (this) {
                case MSI_IN_DOMAIN, MSI_IN_BYPASS_DOMAIN, MSI_IN_BYPASS, MSI_BLOCKED -> ReservedRegions.X86_MSI;
                case RESERVED_IN_BYPASS -> HOLE;
                case MAPPED, UNMAPPED, BYPASS, NO_IOMMU -> ReservedRegions.NONE;
            };
        }

        void enter(IommuMachine machine) {
            switch (this) {
                case MSI_IN_DOMAIN, UNMAPPED -> machine.ok(Requests.attach(ONE, DISK));
                case MSI_IN_BYPASS_DOMAIN -> machine.ok(Requests.attachBypass(ONE, DISK));
                case MSI_IN_BYPASS, RESERVED_IN_BYPASS, BYPASS -> machine.writeBypass(1);
                case MAPPED -> {
                    machine.ok(Requests.attach(ONE, DISK));
                    machine.ok(Requests.map(ONE, WINDOW, WINDOW + SIZE - 1, WINDOW,
                            Spec.MAP_F_READ | Spec.MAP_F_WRITE | Spec.MAP_F_MMIO));
                }
                case MSI_BLOCKED, NO_IOMMU -> { }
            }
        }
    }

    /** What lies at the window's guest-physical addresses. */
    enum There { DOORBELL, RAM, NOTHING }

    @ParameterizedTest
    @CsvSource(textBlock = """
            MSI_IN_DOMAIN,        DOORBELL, OK,        BUS_ERROR, FAULT
            MSI_IN_DOMAIN,        RAM,      BUS_ERROR, BUS_ERROR, FAULT
            MSI_IN_DOMAIN,        NOTHING,  BUS_ERROR, BUS_ERROR, FAULT
            MSI_IN_BYPASS_DOMAIN, DOORBELL, OK,        BUS_ERROR, FAULT
            MSI_IN_BYPASS_DOMAIN, RAM,      BUS_ERROR, BUS_ERROR, FAULT
            MSI_IN_BYPASS_DOMAIN, NOTHING,  BUS_ERROR, BUS_ERROR, FAULT
            MSI_IN_BYPASS,        DOORBELL, OK,        BUS_ERROR, FAULT
            MSI_IN_BYPASS,        RAM,      BUS_ERROR, BUS_ERROR, FAULT
            MSI_IN_BYPASS,        NOTHING,  BUS_ERROR, BUS_ERROR, FAULT
            MSI_BLOCKED,          DOORBELL, FAULT,     FAULT,     FAULT
            MSI_BLOCKED,          RAM,      FAULT,     FAULT,     FAULT
            MSI_BLOCKED,          NOTHING,  FAULT,     FAULT,     FAULT
            RESERVED_IN_BYPASS,   DOORBELL, FAULT,     FAULT,     FAULT
            RESERVED_IN_BYPASS,   RAM,      FAULT,     FAULT,     FAULT
            RESERVED_IN_BYPASS,   NOTHING,  FAULT,     FAULT,     FAULT
            MAPPED,               DOORBELL, OK,        BUS_ERROR, BUS_ERROR
            MAPPED,               RAM,      BUS_ERROR, OK,        OK
            MAPPED,               NOTHING,  BUS_ERROR, BUS_ERROR, BUS_ERROR
            UNMAPPED,             DOORBELL, FAULT,     FAULT,     FAULT
            UNMAPPED,             RAM,      FAULT,     FAULT,     FAULT
            UNMAPPED,             NOTHING,  FAULT,     FAULT,     FAULT
            BYPASS,               DOORBELL, OK,        BUS_ERROR, BUS_ERROR
            BYPASS,               RAM,      BUS_ERROR, OK,        OK
            BYPASS,               NOTHING,  BUS_ERROR, BUS_ERROR, BUS_ERROR
            NO_IOMMU,             DOORBELL, OK,        BUS_ERROR, BUS_ERROR
            NO_IOMMU,             RAM,      BUS_ERROR, OK,        OK
            NO_IOMMU,             NOTHING,  BUS_ERROR, BUS_ERROR, BUS_ERROR
            """)
    @DisplayName("5.13.6.8.1: messages, data writes and reads at 0xfee00000")
    void shouldTreatTheWindowAsTheTableSays(State state, There there, DmaResult message, DmaResult write,
            DmaResult read) {
        IommuMachine machine = start(iommuWith(state.regions()));
        machine.addEventBuffers(8, Spec.FAULT_SIZE);
        put(machine, there);
        state.enter(machine);
        DmaSpace dma = state == State.NO_IOMMU ? DmaSpace.identity(machine.memory(), REQUESTER)
                : DmaSpace.of(machine.memory(), machine.iommu().translator(DISK), REQUESTER);

        VirtioPciFunction function = run(dma, MESSAGE);
        long faults = machine.iommu().counters().reportedFaults();
        device.active().configChanged();
        assertEquals(message == DmaResult.OK ? List.of(message(MESSAGE)) : List.of(), messages);
        assertEquals(message == DmaResult.OK ? 0 : 1, function.lostMessages());
        assertEquals(message == DmaResult.FAULT ? 1 : 0, machine.iommu().counters().reportedFaults() - faults);

        try (DmaHandle handle = dma.open("data")) {
            handle.enter();
            assertEquals(write, Dma.write(handle, MESSAGE, 4, DATA));
            assertEquals(read, handle.access(MESSAGE, 4, Access.READ, new DmaCursor()));
            handle.leave();
            assertEquals(message, handle.send(MESSAGE, DATA));
        }
        assertEquals(message == DmaResult.OK ? 2 : 0, messages.size(), "a data write is no message");
        assertEquals(message == DmaResult.OK ? 0 : 1, function.lostMessages(), "nor is it counted as one");
        if (there == There.RAM) {
            assertTrue(machine.isFilled(MESSAGE, 4, write == DmaResult.OK ? DATA : 0));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0x802_0040L, 0x809_0040L, 0x2800_0000L})
    @DisplayName("5.13.6.5: a doorbell that the driver maps itself gets messages with the requester id")
    void shouldTranslateToADoorbellThatTheDriverMapped(long doorbell) {
        IommuMachine machine = start(iommuWith(ReservedRegions.NONE));
        long page = doorbell & -0x1000;
        machine.memory().addDoorbell(page, 0x1000, this::arrived);
        machine.ok(Requests.attach(ONE, DISK));
        long iova = 0xffff_f000L;
        VirtioPciFunction function = run(DmaSpace.of(machine.memory(), machine.iommu().translator(DISK), REQUESTER),
                iova + (doorbell - page));
        device.active().configChanged();
        assertEquals(1, function.lostMessages(), "it is not mapped yet");
        machine.ok(Requests.map(ONE, iova, iova + 0xfff, page, Spec.MAP_F_WRITE | Spec.MAP_F_MMIO));
        device.active().configChanged();
        assertEquals(List.of(message(doorbell)), messages);
        machine.ok(Requests.unmap(ONE, iova, iova + 0xfff));
        device.active().configChanged();
        assertEquals(1, messages.size());
        assertEquals(2, function.lostMessages());
        assertEquals(0, machine.iommu().counters().unreservedDoorbells(), "nobody loses interrupts for it");
    }

    @Test
    @DisplayName("5.13.6.8.1: a message that ends in the last bytes of the window, or beside it")
    void shouldKnowTheBordersOfTheWindow() {
        IommuMachine machine = start(iommuWith(ReservedRegions.X86_MSI));
        put(machine, There.DOORBELL);
        machine.memory().addDoorbell(WINDOW - 0x1000, 0x1000, this::arrived);
        machine.memory().addDoorbell(WINDOW + SIZE, 0x1000, this::arrived);
        machine.ok(Requests.attach(ONE, DISK));
        try (DmaHandle handle = DmaSpace.of(machine.memory(), machine.iommu().translator(DISK)).open("disk")) {
            assertEquals(DmaResult.OK, handle.send(WINDOW, DATA));
            assertEquals(DmaResult.OK, handle.send(WINDOW + SIZE - 4, DATA));
            assertEquals(DmaResult.FAULT, handle.send(WINDOW - 4, DATA));
            assertEquals(DmaResult.FAULT, handle.send(WINDOW + SIZE, DATA));
        }
        assertEquals(2, messages.size());
    }

    private static VirtioIommuBuilder iommuWith(ReservedRegions regions) {
        return VirtioIommu.builder().endpoint(DISK, regions).bootBypass(false).maxMappings(100);
    }

    private void put(IommuMachine machine, There there) {
        switch (there) {
            case DOORBELL -> machine.memory().addDoorbell(WINDOW, SIZE, this::arrived);
            case RAM -> machine.memory().addAnonymous(WINDOW, SIZE);
            case NOTHING -> { }
        }
    }

    /** Brings a function up, with the configuration's vector at an address. */
    private VirtioPciFunction run(DmaSpace dma, long address) {
        VirtioPciFunction function = VirtioPciFunction.of(device, dma, PciInterrupts.messages());
        PciBus bus = new PciBus(BARS, BARS_SIZE);
        bus.add(0, 0, function);
        PciDriverTransport found = new PciHost(bus.ecam(), bus.memory(), BARS, BARS_SIZE).scan().getFirst();
        VirtioDriver driver = new VirtioDriver(found, FeatureSet.offeredBy(found));
        assertEquals(StartResult.OK, driver.begin());
        found.enableMessages(true);
        found.writeVector(0, address, DATA, false);
        assertTrue(found.configVector(0));
        assertEquals(StartResult.OK, driver.driverOk());
        return function;
    }

    private void arrived(int requester, long address, int data) {
        messages.add(Integer.toHexString(requester) + " " + Long.toHexString(address) + " " + data);
    }

    private static String message(long address) {
        return Integer.toHexString(REQUESTER) + " " + Long.toHexString(address) + " " + DATA;
    }
}
