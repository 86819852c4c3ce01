// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.driver.Allocation;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.iommu.AnswerListener;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.FakeIommu;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

class HostileRequestsTest {

    private static final IommuDriverOptions SMALL = IommuDriverOptions.LINUX.withQueueSizes(16, 8).withPollLimit(1_000);

    private final GuestMemory memory = GuestMemory.anonymous(0x8000_0000L, 8 << 20);
    private final GuestRam ram = new GuestRam(memory, 0x8000_0000L, 8 << 20);
    private final List<String> answers = new ArrayList<>();
    private FakeIommu device = new FakeIommu(ram, FakeIommu.plainFeatures());

    @AfterEach
    void closeMemory() {
        memory.close();
    }

    @Test
    void shouldCutRequestsAnyWayWhenAFramingIsChosen() {
        HostileRequests hostile = started(0x1000);
        IommuDriver driver = hostile.driver();
        driver.attach(1, 1, 1, 0);
        for (long[] lengths : new long[][] {{16}, {3, 10, 11}, {0, 9}, {100}}) {
            hostile.framing(Framing.of(lengths, new long[] {1, 3}));
            driver.attach(1, 1, 1, 0);
        }
        hostile.framing(Framing.WHOLE);
        driver.attach(1, 1, 1, 0);

        assertEquals(List.of(2, 4, 5, 8, 3, 2), device.pieces);
        assertEquals(1, device.requests.stream().distinct().count());
        assertEquals(1, answers.stream().distinct().count());
        hostile.framing(Framing.every(1));
        assertThrows(IllegalArgumentException.class, () -> driver.attach(1, 1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> Framing.every(0));
        assertThrows(IllegalArgumentException.class, () -> Framing.of(new long[] {4, -1}, new long[] {4}));
    }

    @Test
    void shouldCutIntoIndirectTablesWhenTheyAreNegotiated() {
        device = new FakeIommu(ram, FakeIommu.allFeatures());
        HostileRequests hostile = started(0x1000);
        IommuDriver driver = hostile.driver();
        hostile.framing(Framing.of(new long[] {10}, new long[] {4}));
        driver.detach(1, 1, 1);
        hostile.framing(Framing.of(new long[] {4}, new long[] {4}));
        driver.detach(2, 1, 1);

        assertEquals(List.of(3, 6), device.pieces);
        assertEquals(List.of("1 DETACH 0 4/4", "2 DETACH 0 4/4"), answers);
    }

    @Test
    void shouldSendAnyBytesWhenTheyAreRaw() {
        HostileRequests hostile = started(0x1000);
        IommuDriver driver = hostile.driver();
        device.status = RequestStatus.UNSUPP;
        hostile.raw(1, HexFormat.of().parseHex("ff00112233"), 5, 16);
        hostile.raw(2, HexFormat.of().parseHex("0500"), 1, 0);
        hostile.raw(3, new byte[0], 0, 4);
        hostile.raw(4, new byte[0], 0, 0);
        driver.sync();

        assertEquals(List.of("ff00112233/16", "05/0", "/4", "/0"), device.requests);
        assertEquals(List.of("1 TYPE_255 2 16/16", "2 PROBE 255 0/0", "3 TYPE_0 2 4/4", "4 TYPE_0 255 0/0"), answers);
    }

    @Test
    void shouldOfferAnyWritableLengthWhenTheRequestIsRaw() {
        device.usedLength = 0;
        HostileRequests hostile = started(0x1000);
        IommuDriver driver = hostile.driver();
        hostile.raw(1, new byte[] {9}, 1, 0xffff_ffffL);
        driver.sync();

        assertEquals(List.of("09/4294967295"), device.requests);
        assertThrows(IllegalArgumentException.class, () -> hostile.raw(1, new byte[1], 1, 0x1_0000_0000L));
    }

    @Test
    void shouldKeepRawRequestsApartWhenThereAreManyInABatch() {
        HostileRequests hostile = started(64);
        IommuDriver driver = hostile.driver();
        byte[] bytes = new byte[40];
        for (int i = 0; i < 6; i++) {
            bytes[0] = (byte) (0x40 + i);
            bytes[19] = (byte) i;
            assertEquals(DriverResult.OK, hostile.raw(i, bytes, 20, 8));
        }
        driver.sync();

        assertEquals(2, device.kicks, "room for three");
        for (int i = 0; i < 6; i++) {
            assertEquals("4" + i + "00".repeat(18) + "0" + i + "/8", device.requests.get(i));
        }
        assertThrows(IllegalArgumentException.class, () -> hostile.raw(1, new byte[65], 65, 0));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldAllocateNothingWhenRequestsGoRound(boolean all) {
        device = new FakeIommu(ram, all ? FakeIommu.allFeatures() : FakeIommu.plainFeatures());
        HostileRequests hostile = started(0x1000, result -> { });
        IommuDriver driver = hostile.driver();
        device.quiet = true;
        byte[] raw = new byte[100];
        Framing framing = Framing.every(16);
        Allocation.assertNone(() -> {
            for (int i = 0; i < 500; i++) {
                hostile.framing(i % 2 == 0 ? Framing.WHOLE : framing);
                driver.map(i, 1, i, i, i, 1);
                hostile.raw(i, raw, raw.length, 8);
            }
            driver.sync();
        });
        assertEquals(0, device.requestsSeen % (2 * 500));
    }

    @Test
    void shouldUseItsRoomAnewWhenTheDeviceStartsAgain() {
        HostileRequests hostile = started(64);
        device.deaf = true;
        assertEquals(DriverResult.OK, hostile.raw(1, new byte[64], 64, 64));
        assertEquals(StartResult.OK, hostile.driver().start());
        device.deaf = false;
        assertEquals(DriverResult.OK, hostile.raw(2, new byte[64], 64, 64));
        assertEquals(0, device.kicks, "there was room for it");
        hostile.driver().sync();
        assertEquals(List.of("2 TYPE_0 0 64/64"), answers);
    }

    @Test
    void shouldRefuseARoomWhenItIsNegative() {
        IommuDriver driver = started(0).driver();
        assertThrows(IllegalArgumentException.class, () -> new HostileRequests(driver, ram, -1));
    }

    private HostileRequests started(int room) {
        return started(room, result -> answers.add(result.tag() + " " + RequestType.name(result.type()) + " "
                + result.status() + " " + result.usedLength() + "/" + result.writableLength()));
    }

    private HostileRequests started(int room, AnswerListener listener) {
        IommuDriver driver = new IommuDriver(MmioDriverTransport.of(device), ram, SMALL, listener);
        HostileRequests hostile = new HostileRequests(driver, ram, room);
        assertEquals(StartResult.OK, driver.start());
        return hostile;
    }
}
