// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.Features;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.pci.PciDriverTransport;
import org.virtio4j.driver.pci.PciHost;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.pci.PciBus;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;

/** A PCI function behind the IOMMU sends its interrupts as DMA writes, which are translated as any others are. */
class MessageTest extends IommuTests {

    private static final long DOORBELL = 0xfee0_0000L;
    private static final long OTHER_DOORBELL = 0x5000_0000L;
    private static final long BARS = 0xc000_0000L;
    private static final long BARS_SIZE = 1 << 20;
    private static final int REQUESTER = 0x40;

    /** A message as it arrived. */
    private record Message(int requester, long address, int data) {
    }

    private final List<Message> messages = new ArrayList<>();
    private final RecordingDevice device = new RecordingDevice(Features.NONE);

    @Test
    @DisplayName("5.13.6.8.1: a message to the MSI region arrives untranslated, attached or not")
    void shouldLetMessagesThroughTheMsiRegion() {
        IommuMachine machine = start(iommu().endpoint(0x30, ReservedRegions.X86_MSI));
        VirtioPciFunction function = runFunction(machine, 0x30, DOORBELL + 0x1000);
        machine.ok(Requests.attach(ONE, 0x30));
        device.active().configChanged();
        assertEquals(List.of(new Message(REQUESTER, DOORBELL + 0x1000, 7)), messages);
        assertEquals(0, function.lostMessages());
    }

    @Test
    @DisplayName("5.13.6.5: a message follows the mapping that leads to a doorbell")
    void shouldTranslateMessages() {
        IommuMachine machine = start();
        runFunction(machine, NIC, 0x9_0000_0010L);
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, 0x9_0000_0000L, 0x9_0000_0fffL, OTHER_DOORBELL));
        device.active().configChanged();
        assertEquals(List.of(new Message(REQUESTER, OTHER_DOORBELL + 0x10, 7)), messages);
    }

    @Test
    @DisplayName("5.13.6.9: a message that is mapped nowhere is lost, counted, and reported as a write that faulted")
    void shouldReportMessagesThatAreMappedNowhere() {
        IommuMachine machine = start();
        machine.addEventBuffers(4, Spec.FAULT_SIZE);
        VirtioPciFunction function = runFunction(machine, NIC, 0x9_0000_0010L);
        machine.ok(Requests.attach(ONE, NIC));
        device.active().configChanged();
        assertEquals(List.of(), messages);
        assertEquals(1, function.lostMessages());
        assertEquals(1, machine.takeEvents().size());
        machine.ok(Requests.map(ONE, 0x9_0000_0000L, 0x9_0000_0fffL, OTHER_DOORBELL, Spec.MAP_F_READ));
        device.active().configChanged();
        assertEquals(2, function.lostMessages(), "a message is a write");
        assertEquals(1, machine.takeEvents().size());
        assertEquals(List.of(), messages);
    }

    /** Brings a function behind the IOMMU up, with the configuration's vector at an address of its own choice. */
    private VirtioPciFunction runFunction(IommuMachine machine, int endpoint, long message) {
        machine.memory().addDoorbell(DOORBELL, 0x10_0000, this::arrived);
        machine.memory().addDoorbell(OTHER_DOORBELL, 0x1000, this::arrived);
        DmaSpace dma = DmaSpace.of(machine.memory(), machine.iommu().translator(endpoint), REQUESTER);
        VirtioPciFunction function = VirtioPciFunction.of(device, dma, PciInterrupts.messages());
        PciBus bus = new PciBus(BARS, BARS_SIZE);
        bus.add(0, 0, function);
        PciDriverTransport transport = new PciHost(bus.ecam(), bus.memory(), BARS, BARS_SIZE).scan().getFirst();
        VirtioDriver driver = new VirtioDriver(transport, FeatureSet.offeredBy(transport));
        assertEquals(StartResult.OK, driver.begin());
        transport.enableMessages(true);
        transport.writeVector(0, message, 7, false);
        assertTrue(transport.configVector(0));
        assertEquals(StartResult.OK, driver.driverOk());
        return function;
    }

    private void arrived(int requester, long address, int data) {
        messages.add(new Message(requester, address, data));
    }
}
