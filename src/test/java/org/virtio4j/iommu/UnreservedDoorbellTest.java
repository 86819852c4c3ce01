// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vmm.GuestMemory;

/**
 * Section 5.13.6.8.1: a driver that no region tells where its doorbell lies maps the doorbell, as Linux does on arm64,
 * and an embedder who delivers messages untranslated hears of it. RAM ends at {@link IommuMachine#RAM_END}.
 */
class UnreservedDoorbellTest extends IommuTests {

    private static final long ITS = 0x809_0000L;
    private static final long IOVA = 0xffff_f000L;
    private static final int WRITE_MMIO = Spec.MAP_F_WRITE | Spec.MAP_F_MMIO;

    private final List<String> heard = new ArrayList<>();
    private VirtioIommu device = iommu().build();

    private IommuMachine start(ReservedRegions reserved) {
        return start(reserved, VirtioIommu.builder());
    }

    private IommuMachine start(ReservedRegions reserved, VirtioIommuBuilder begun) {
        VirtioIommuBuilder builder = begun.endpoint(DISK, reserved).endpoint(NIC, reserved)
                .bootBypass(false).maxMappings(100).listener(new IommuListener() {
                    @Override
                    public void unreservedDoorbell(int endpoint, long virtStart, long physStart) {
                        heard.add(endpoint + " " + Long.toHexString(virtStart) + " " + Long.toHexString(physStart));
                        // Waits for the control lock, so that this test would not end if it were held here.
                        assertNotEquals(0, CompletableFuture.supplyAsync(device::liveMappings).join());
                    }
                });
        device = builder.build();
        return keep(new IommuMachine(transport, device)).start();
    }

    private static byte[] doorbell(int domain, long iova) {
        return Requests.map(domain, iova, iova + 0xfff, ITS, WRITE_MMIO);
    }

    private static byte[] ram(int domain, long iova) {
        return Requests.map(domain, iova, iova + 0xfff, IommuMachine.FREE_RAM);
    }

    @Test
    @DisplayName("5.13.6.8.1: who maps a doorbell that is not reserved is told of, once, under no lock")
    void shouldTellOfAMappedDoorbellOnce() {
        IommuMachine machine = start(ReservedRegions.X86_MSI);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(ram(ONE, 0x1000));
        machine.ok(doorbell(ONE, IOVA));
        assertEquals(List.of("8 fffff000 8090000"), heard);
        machine.ok(Requests.unmap(ONE, IOVA, IOVA + 0xfff));
        machine.ok(doorbell(ONE, IOVA));
        assertEquals(1, heard.size());
        assertEquals(2, device.counters().unreservedDoorbells());
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(doorbell(TWO, IOVA));
        assertEquals("9 fffff000 8090000", heard.getLast());
    }

    @Test
    @DisplayName("5.13.6.8.1: it is told of by a poll, too")
    void shouldTellOfADoorbellThatAPollFinds() {
        IommuMachine machine = start(ReservedRegions.NONE, VirtioIommu.builder().polled());
        byte[][] requests = {Requests.attach(ONE, DISK), doorbell(ONE, IOVA)};
        for (int i = 0; i < requests.length; i++) {
            machine.place(i, requests[i], Spec.TAIL);
            machine.add(i, requests[i], Spec.TAIL);
        }
        machine.requests().publish();
        assertEquals(2, machine.pollDevice());
        assertEquals(List.of("8 fffff000 8090000"), heard);
    }

    @Test
    @DisplayName("5.13.6.8.1: the next guest is told of, too")
    void shouldTellAgainAfterAReset() {
        IommuMachine machine = start(ReservedRegions.NONE);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(doorbell(ONE, IOVA));
        machine.resetDevice();
        machine.start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(doorbell(ONE, IOVA));
        assertEquals(2, heard.size());
    }

    @Test
    @DisplayName("5.13.6.8.1: each endpoint of the domain has regions of its own")
    void shouldTellOfEachEndpointOfTheDomain() {
        IommuMachine machine = start(ReservedRegions.NONE);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(doorbell(ONE, IOVA));
        assertEquals(List.of("8 fffff000 8090000", "9 fffff000 8090000"), heard);
        assertEquals(1, device.counters().unreservedDoorbells());
    }

    @Test
    @DisplayName("5.13.6.8.1: a domain that begins with a page of no memory begins with a doorbell, whatever its flags")
    void shouldTellOfADomainThatBeginsWhereNoMemoryIs() {
        IommuMachine machine = start(ReservedRegions.NONE);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, IOVA, IOVA + 0xfff, ITS));
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(ram(TWO, 0x1000));
        machine.ok(Requests.map(TWO, IOVA, IOVA + 0xfff, ITS));
        assertEquals(List.of("8 fffff000 8090000"), heard);
    }

    @Test
    @DisplayName("5.13.6.8.1: nothing is told of a doorbell that a region holds, of RAM, of large windows, of refusals")
    void shouldNotTellOfWhatIsAsItShouldBe() {
        IommuMachine machine = start(ReservedRegions.QEMU_VIRT_ITS);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(doorbell(ONE, IOVA));
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(Requests.map(TWO, 0x1000_0000, 0x1fff_ffff, 0x8000_0000L, WRITE_MMIO));
        assertEquals(Spec.INVAL, machine.status(Requests.map(TWO, 0x1000_0000, 0x1000_0fff, 0x8000_0000L, WRITE_MMIO)));
        machine.ok(ram(TWO, 0x1000));
        assertEquals(List.of(), heard);
        assertEquals(0, device.counters().unreservedDoorbells());
    }

    @Test
    @DisplayName("5.13.6.8.1: a doorbell that the devices here can reach takes messages through the mapping")
    void shouldNotTellOfADoorbellThatIsARegionOfMemory() {
        IommuMachine machine = start(ReservedRegions.NONE);
        machine.memory().addDoorbell(ITS, GuestMemory.PAGE_SIZE, (requester, address, data) -> { });
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(doorbell(ONE, IOVA));
        assertEquals(List.of(), heard);
    }

    @Test
    @DisplayName("5.13.6.8.1: while memory is being exchanged nobody knows what is missing")
    void shouldNotTellWhileMemoryIsExchanged() {
        IommuMachine machine = start(ReservedRegions.NONE);
        machine.ok(Requests.attach(ONE, DISK));
        machine.memory().beginExchange();
        machine.ok(Requests.map(ONE, IOVA, IOVA + 0xfff, ITS));
        machine.memory().endExchange();
        assertEquals(List.of(), heard);
    }

    @ParameterizedTest
    @ValueSource(longs = {0x802_0040L, 0x809_0040L, 0x2bff_f000L, 0xfee0_0000L})
    void shouldHaveARegionForEachDoorbellThatItNames(long address) {
        List<ReservedRegions> named = List.of(ReservedRegions.QEMU_VIRT_GICV2M, ReservedRegions.QEMU_VIRT_ITS,
                ReservedRegions.QEMU_VIRT_IMSIC, ReservedRegions.X86_MSI);
        assertEquals(1, named.stream().filter(regions -> regions.list().stream()
                .anyMatch(region -> region.overlaps(address, address))).count());
    }
}
