// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

/** The words for each thing that keeps a device, a client or a guest from working. */
class DeviceNoticesTest {

    private final Notices notices = new Notices(() -> 0);
    private final DeviceNotices disk = new DeviceNotices(notices, "disk-0a.0");
    private final IommuNotices iommu = new IommuNotices(notices, "iommu");

    @Test
    void shouldSayWhyADeviceStandsStill() {
        disk.featuresRefused("the driver did not accept ACCESS_PLATFORM (bit 33), but the device is behind the IOMMU");
        disk.needsReset("queue 0: CHAIN_TOO_LONG");
        disk.resetCompleted(ResetKind.DEVICE);
        disk.failed(new IllegalStateException("closed"));
        assertEquals(List.of(
                "disk-0a.0: the driver was refused: the driver did not accept ACCESS_PLATFORM (bit 33), but the device"
                        + " is behind the IOMMU",
                "disk-0a.0: stands still until its driver resets it: queue 0: CHAIN_TOO_LONG",
                "disk-0a.0: failed: java.lang.IllegalStateException: closed"), notices.due());
    }

    @Test
    void shouldSayWhatAClientWasRefused() {
        disk.commandRefused("DMA_MAP", "EINVAL", "the descriptor is not sealed against shrinking");
        assertEquals(List.of("disk-0a.0: the client's DMA_MAP was refused: the descriptor is not sealed against"
                + " shrinking (EINVAL)"), notices.due());
    }

    @Test
    void shouldLeaveOutQuestionsAboutWhatIsNotThere() {
        disk.commandRefused("DEVICE_FEATURE", "EOPNOTSUPP", "no migration");
        disk.commandRefused("DEVICE_GET_IRQ_INFO", "EINVAL", "there is no such interrupt");
        assertEquals(List.of(), notices.rest());
    }

    @Test
    void shouldMakeOneKindOfAllCommandsWithoutName() {
        for (int command = 100; command < 200; command++) {
            disk.commandRefused("command " + command, "EINVAL", "unknown");
        }
        assertEquals(List.of("disk-0a.0: the client's command was refused: unknown (EINVAL) … 99 more"),
                notices.rest());
    }

    @Test
    void shouldSayWhoIsWaitedFor() {
        disk.stalled("queue 1 of device type 2", 1_234_567_890);
        iommu.stalled("queue 0 of device type 2", 2_000_000_000);
        assertEquals(List.of(
                "disk-0a.0: its client waits for memory to be given back: queue 1 of device type 2 still uses it after"
                        + " 1234 ms",
                "iommu: a request waits for a device: queue 0 of device type 2 still uses what is taken away, after"
                        + " 2000 ms"), notices.due());
    }

    @Test
    void shouldSayThatMappingsAreUsedUp() {
        iommu.served(answered(RequestType.MAP, RequestStatus.OK));
        iommu.served(answered(RequestType.MAP, RequestStatus.RANGE));
        assertEquals(List.of(), notices.due());
        iommu.served(answered(RequestType.MAP, RequestStatus.NOMEM));
        iommu.served(answered(RequestType.MAP, RequestStatus.NOMEM));
        assertEquals(List.of("iommu: a MAP was answered with NOMEM: max-mappings or max-mappings-per-domain are in use,"
                + " and Linux may not recover from that; raise them … 1 more"), notices.due());
    }

    @Test
    void shouldSayThatDomainsAreUsedUp() {
        iommu.served(answered(RequestType.ATTACH, RequestStatus.NOMEM));
        assertEquals(List.of("iommu: an ATTACH was answered with NOMEM: max-domains are in use, and the device cannot"
                + " be used; raise max-domains"), notices.due());
    }

    /** A request of which a listener asks nothing else. */
    private static ServedRequest answered(int type, int status) {
        return (ServedRequest) Proxy.newProxyInstance(ServedRequest.class.getClassLoader(),
                new Class<?>[] {ServedRequest.class}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "understood" -> true;
                    case "type" -> type;
                    case "status" -> status;
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    @ParameterizedTest
    @CsvSource({"8020000, msi:gicv2m", "8090000, msi:its", "fee01000, msi:x86", "28000000, msi:28000000-28000fff"})
    void shouldSayWhichRegionIsMissingForADoorbell(String address, String region) {
        iommu.unreservedDoorbell(0x48, 0xffff_f000L, Long.parseLong(address, 16));
        assertEquals(List.of("iommu: the guest has mapped where its interrupts go for 00:09.0, and may get none:"
                + " 0x" + address + " is no RAM, and no region that reserved names; write reserved = [\""
                + region + "\"]"),
                notices.due());
    }

    @Test
    void shouldSayOnceWhatAGuestOnAnotherBoardNeeds() {
        VirtioIommu device = VirtioIommu.builder().endpoint(0x48).reserved(ReservedRegions.X86_MSI).maxMappings(16)
                .listener(iommu).build();
        try (GuestMemory memory = GuestMemory.anonymous(0x4000_0000L, 16 << 20)) {
            VirtioMmioDevice window = VirtioMmioDevice.of(device, DmaSpace.identity(memory), level -> { });
            IommuDriver driver = new IommuDriver(MmioDriverTransport.of(window),
                    new GuestRam(memory, 0x4000_0000L, 16 << 20), answer -> { });
            assertEquals(StartResult.OK, driver.start());
            assertEquals(DriverResult.OK, driver.attach(0, 1, 0x48, 0));
            for (long iova = 0xffff_f000L; iova >= 0xffff_d000L; iova -= 0x1000) {
                assertEquals(DriverResult.OK, driver.map(0, 1, iova, iova + 0xfff, 0x809_0000L,
                        MapRequest.FLAG_WRITE | MapRequest.FLAG_MMIO));
                assertEquals(DriverResult.OK, driver.sync());
            }
        }
        assertEquals(List.of("iommu: the guest has mapped where its interrupts go for 00:09.0, and may get none:"
                + " 0x8090000 is no RAM, and no region that reserved names; write reserved = [\"msi:its\"]"),
                notices.rest());
    }

    @Test
    void shouldSayThatNoDriverHearsOfAFault() {
        VirtioIommu device = VirtioIommu.builder().endpoint(1).bootBypass(false).maxMappings(16).build();
        IommuCounters counters = device.counters();
        iommu.look(counters);
        assertEquals(List.of(), notices.due());
        try (GuestMemory memory = new GuestMemory();
                DmaHandle dma = DmaSpace.of(memory, device.translator(1), 1).open("test")) {
            for (int i = 0; i < 3; i++) {
                dma.enter();
                dma.translate(0x1000, Access.READ, (virtStart, virtEnd, physStart, permitted) -> { });
                dma.leave();
            }
        }
        iommu.look(counters);
        iommu.look(counters);
        assertEquals(List.of("iommu: a device accessed what is not mapped for it, and no driver hears of it: the IOMMU"
                + " has no driver just now, or too many faults at once … 2 more"), notices.rest());
    }
}
