// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.driver.Allocation;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.UsedRingFailure;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.MmioRegister;
import org.virtio4j.wire.UsedRing;
import org.virtio4j.wire.iommu.FaultEvent;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

class IommuDriverTest {

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
    void shouldBringTheDeviceUpAsLinuxDoesWhenItStarts() {
        IommuDriver driver = driver(SMALL);
        assertEquals(StartResult.OK, driver.start());

        assertEquals(List.of("0", "1", "3", "b", "f"), device.statusWrites());
        assertEquals(16, driver.requestQueue().size());
        assertEquals(8, driver.eventQueue().size());
        assertEquals(FakeIommu.PROBE_SIZE, driver.configuration().probeSize());
        assertEquals(0xffff_ffff_ffff_f000L, driver.configuration().pageSizeMask());
        assertEquals(8, device.rings[1].ring.availableIndex(), "event buffers");
        assertEquals(0, device.kicks);
        assertEquals(1, device.rings[0].ring.availableFlags(), "no interrupts for requests");
        assertEquals(0, device.rings[1].ring.availableFlags(), "interrupts for events");
    }

    @Test
    void shouldTakeEachStepAloneWhenTheStatusIsWritten() {
        IommuDriver driver = driver(SMALL);
        assertEquals(StartResult.OK, driver.writeStatus(0));
        assertEquals(StartResult.OK, driver.writeStatus(1));
        assertEquals(StartResult.OK, driver.writeStatus(3));
        assertEquals(FeatureSet.NONE, driver.device().negotiated());
        assertEquals(StartResult.OK, driver.writeStatus(11));
        assertEquals(FeatureSet.of(0, 1, 2, 4, 5, 6, 32), driver.device().negotiated());
        assertThrows(IllegalStateException.class, driver::requestQueue);
        assertEquals(StartResult.OK, driver.writeStatus(15));
        assertEquals(DriverResult.OK, driver.attach(1, 0, 8, 0));
        assertEquals(StartResult.OK, driver.writeStatus(0));
        assertThrows(IllegalStateException.class, () -> driver.attach(1, 0, 8, 0));
        assertEquals(DriverResult.OK, driver.sync(), "nothing is on its way");
    }

    @Test
    void shouldSayWhatFailedWhenItCannotStart() {
        device.refused = DeviceStatus.FEATURES_OK;
        assertEquals(StartResult.FEATURES_REFUSED, driver(SMALL).start());
        assertEquals("83", device.statusWrites().getLast());
        device.refused = DeviceStatus.DRIVER_OK;
        assertEquals(StartResult.NOT_LIVE, driver(SMALL).start());
        device.refused = 0;
        device.registers[(int) MmioRegister.QUEUE_SIZE_MAX] = 0;
        assertEquals(StartResult.NO_SUCH_QUEUE, driver(SMALL).start());
        device.offeredLow = 0;
        assertEquals(StartResult.NOT_VERSION_1, driver(SMALL).start());
        device.registers[(int) MmioRegister.DEVICE_ID] = DeviceType.BLOCK;
        assertThrows(IllegalArgumentException.class, () -> driver(SMALL));
    }

    @Test
    void shouldSendTheBytesOfTheSpecificationWhenRequestsAreMade() {
        IommuDriver driver = started(SMALL);
        driver.attach(1, 0x11121314, 0x21222324, 1);
        driver.map(2, 0x11121314, 0x3132_3334_3536_3738L, 0x4142_4344_4546_4748L, 0x5152_5354_5556_5758L, 3);
        driver.unmap(3, 0x11121314, 0x3132_3334_3536_3738L, 0x4142_4344_4546_4748L);
        driver.detach(4, 0x11121314, 0x21222324);
        driver.probe(5, 0x21222324);

        assertEquals(List.of(
                "01000000" + "14131211" + "24232221" + "01000000" + "00000000" + "/4",
                "03000000" + "14131211" + "3837363534333231" + "4847464544434241" + "5857565554535251"
                        + "03000000" + "/4",
                "04000000" + "14131211" + "3837363534333231" + "4847464544434241" + "00000000" + "/4",
                "02000000" + "14131211" + "24232221" + "0000000000000000" + "/4",
                "05000000" + "24232221" + "00".repeat(64) + "/516"), device.requests);
    }

    @Test
    void shouldKickOnceForManyMapsWhenSynced() {
        IommuDriver driver = started(SMALL);
        for (int i = 0; i < 6; i++) {
            assertEquals(DriverResult.OK, driver.map(100 + i, 1, i, i, i, 1));
        }
        assertEquals(0, device.kicks);
        assertEquals(6, device.rings[0].ring.availableIndex(), "the device may see them at once");
        assertEquals(List.of(), answers);
        assertEquals(DriverResult.OK, driver.sync());

        assertEquals(1, device.kicks);
        assertEquals(1, driver.kicks());
        assertEquals(6, driver.requests());
        assertEquals(List.of("100 MAP 0 4/4", "101 MAP 0 4/4", "102 MAP 0 4/4", "103 MAP 0 4/4", "104 MAP 0 4/4",
                "105 MAP 0 4/4"), answers);
        assertEquals(DriverResult.OK, driver.sync());
        assertEquals(1, device.kicks, "nothing to kick for");
    }

    @Test
    void shouldKickForEachWhenTheRequestIsNotBatched() {
        IommuDriver driver = started(SMALL);
        driver.map(1, 1, 0, 1, 0, 1);
        driver.attach(2, 1, 1, 0);
        driver.probe(3, 1);
        driver.detach(4, 1, 1);

        assertEquals(3, device.kicks);
        assertEquals(List.of("1 MAP 0 4/4", "2 ATTACH 0 4/4", "3 PROBE 0 516/516", "4 DETACH 0 4/4"), answers);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldWaitAndGoOnWhenTheRingIsFull(boolean indirect) {
        device = new FakeIommu(ram, indirect ? FakeIommu.allFeatures() : FakeIommu.plainFeatures());
        IommuDriver driver = started(SMALL);
        int room = indirect ? 16 : 8;
        for (int i = 0; i < 3 * room; i++) {
            assertEquals(DriverResult.OK, driver.map(i, 1, i, i, i, 1));
            assertEquals(i / room, device.kicks);
        }
        driver.sync();
        assertEquals(3 * room, answers.size());
        for (int i = 0; i < answers.size(); i++) {
            assertEquals(i + " MAP 0 4/4", answers.get(i));
        }
    }

    @Test
    void shouldKickNobodyWhenTheDeviceWantsNoKick() {
        IommuDriver driver = started(SMALL);
        device.rings[0].ring.usedFlags(UsedRing.FLAG_NO_NOTIFY);
        driver.map(1, 1, 0, 1, 0, 1);
        assertEquals(DriverResult.NO_ANSWER, driver.sync());
        assertEquals(0, device.kicks);
        device.serve();
        assertEquals(DriverResult.OK, driver.sync());
        assertEquals(0, driver.kicks());
    }

    @Test
    void shouldReportInOrderWhenTheDeviceAnswersInAnother() {
        device.backwards = true;
        IommuDriver driver = started(SMALL);
        for (int i = 0; i < 5; i++) {
            driver.map(i, 1, i, i, i, 1);
        }
        driver.sync();

        assertEquals(List.of("0 MAP 0 4/4", "1 MAP 0 4/4", "2 MAP 0 4/4", "3 MAP 0 4/4", "4 MAP 0 4/4"), answers);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 3})
    void shouldReportBothWhenTheUsedLengthHidesTheStatus(long usedLength) {
        device.status = RequestStatus.INVAL;
        device.usedLength = usedLength;
        IommuDriver driver = started(SMALL);
        driver.attach(1, 1, 1, 0);

        assertEquals(usedLength == 0 ? RequestResult.UNWRITTEN : RequestStatus.INVAL, driver.last().status());
        assertEquals(RequestStatus.OK, driver.last().statusInLinux());
        assertFalse(driver.last().copiedBack());
        assertEquals(usedLength, driver.last().usedLength());
        assertEquals(4, driver.last().writableLength());
    }

    @Test
    void shouldShowTheStatusWhenTheUsedLengthIsWhole() {
        device.status = RequestStatus.NOENT;
        IommuDriver driver = started(SMALL);
        driver.detach(9, 1, 1);

        assertEquals(RequestStatus.NOENT, driver.last().statusInLinux());
        assertTrue(driver.last().copiedBack());
        assertEquals(9, driver.last().tag());
        assertEquals("request 9 of type 2: status NOENT, used length 4 of 4", driver.last().toString());
    }

    @Test
    void shouldSayThatThereIsNoAnswerWhenTheDeviceDoesNotServe() {
        device.deaf = true;
        IommuDriver driver = started(SMALL);
        assertEquals(DriverResult.OK, driver.map(1, 1, 0, 0, 0, 1));
        assertEquals(DriverResult.NO_ANSWER, driver.sync());
        assertEquals(DriverResult.NO_ANSWER, driver.probe(2, 1));
        assertEquals(DriverResult.NO_ANSWER, driver.probe(3, 1), "its memory is still in use");
        assertEquals(List.of(), answers);

        device.serve();
        assertEquals(DriverResult.OK, driver.sync());
        assertEquals(List.of("1 MAP 0 4/4", "2 PROBE 0 516/516"), answers);
    }

    @Test
    void shouldSayThatTheQueueIsBrokenWhenTheDeviceBreaksIt() {
        device.deaf = true;
        IommuDriver driver = started(SMALL);
        driver.map(1, 1, 0, 0, 0, 1);
        device.rings[0].giveBack(15, 4);
        assertEquals(DriverResult.QUEUE_BROKEN, driver.sync());
        assertEquals(UsedRingFailure.ID_NOT_AVAILABLE, driver.requestFailure());

        device.deaf = false;
        assertEquals(StartResult.OK, driver.start());
        assertEquals(DriverResult.OK, driver.attach(2, 1, 1, 0));
    }

    @Test
    void shouldReuseItsMemoryWhenItStartsAgain() {
        IommuDriver driver = started(SMALL);
        long remaining = ram.remaining();
        driver.map(1, 1, 0, 0, 0, 1);
        driver.start();
        driver.attach(2, 1, 1, 0);

        assertEquals(remaining, ram.remaining());
        assertEquals(List.of("2 ATTACH 0 4/4"), answers, "what was on its way is dropped");
        assertEquals(1, driver.kicks());
    }

    @Test
    void shouldShowThePropertiesWhenAnEndpointIsProbed() {
        List<Long> seen = new ArrayList<>();
        IommuDriver driver = new IommuDriver(MmioDriverTransport.of(device), ram, SMALL, result -> {
            seen.add(result.i64(0));
            seen.add((long) result.u8(511));
            seen.add((long) result.i32(512));
        });
        driver.start();
        driver.probe(1, 8);

        assertEquals(List.of(-1L, 255L, 0L), seen, "the fake writes the tail only");
    }

    @Test
    void shouldDeliverFaultsAndRefillWhenEventsCome() {
        IommuDriver driver = started(SMALL);
        FaultReport report = new FaultReport();
        assertFalse(driver.pollEvent(report));
        device.report(FaultEvent.REASON_MAPPING, 0x102, 0x20, 0x1234_5678_9abc_def0L, 24);
        device.report(FaultEvent.REASON_DOMAIN, 1, 0x28, 0, 23);

        assertTrue(driver.pollEvent(report));
        assertEquals("fault reason 2 flags 0x102 endpoint 32 address 0x123456789abcdef0", report.toString());
        assertTrue(report.wellFormed());
        assertTrue(driver.pollEvent(report));
        assertEquals(FaultEvent.REASON_DOMAIN, report.reason());
        assertFalse(report.wellFormed());
        assertEquals(0, device.kicks);
        assertEquals(10, device.rings[1].ring.availableIndex(), "put back");
        assertFalse(driver.pollEvent(report));
        assertEquals(1, device.kicks);
        assertFalse(driver.pollEvent(report));
        assertEquals(1, device.kicks);
    }

    @Test
    void shouldLeaveTheEventQueueEmptyWhenAsked() {
        IommuDriver driver = started(SMALL.withEventBuffers(0));
        assertEquals(0, device.rings[1].ring.availableIndex());
        assertEquals(3, driver.addEventBuffers(3));
        assertEquals(5, driver.addEventBuffers(100));
        assertEquals(8, device.rings[1].ring.availableIndex());
    }

    @Test
    void shouldWriteOneByteWhenBypassIsWritten() {
        IommuDriver driver = started(SMALL);
        device.log.clear();
        driver.writeBypass(1);
        assertEquals(1, driver.bypass());
        assertEquals(List.of("W1 124 1", "R1 124"), device.log);
    }

    @Test
    void shouldRefuseOptionsWhenTheyMakeNoSense() {
        assertThrows(IllegalArgumentException.class, () -> SMALL.withQueueSizes(3, 4));
        assertThrows(IllegalArgumentException.class, () -> SMALL.withQueueSizes(4, 0));
        assertThrows(IllegalArgumentException.class, () -> SMALL.withEventBuffers(-1));
        assertThrows(IllegalArgumentException.class, () -> SMALL.withPollLimit(-1));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldAllocateNothingWhenRequestsGoRound(boolean all) {
        device = new FakeIommu(ram, all ? FakeIommu.allFeatures() : FakeIommu.plainFeatures());
        long[] sum = new long[1];
        IommuDriver driver = new IommuDriver(MmioDriverTransport.of(device), ram, SMALL,
                result -> sum[0] += result.tag() + result.status() + result.statusInLinux());
        driver.start();
        device.quiet = true;
        FaultReport report = new FaultReport();
        Allocation.assertNone(() -> {
            driver.attach(1, 1, 1, 0);
            for (int i = 0; i < 500; i++) {
                driver.map(i, 1, i, i, i, 1);
                driver.unmap(i, 1, i, i);
                if (i % 64 == 0) {
                    driver.sync();
                    device.report(1, 0, 1, i, 24);
                    driver.pollEvent(report);
                    driver.pollEvent(report);
                }
            }
            driver.probe(3, 1);
            driver.detach(2, 1, 1);
        });
        assertEquals(0, device.requestsSeen % (3 + 500 * 2));
        assertTrue(sum[0] > 0);
    }

    private IommuDriver started(IommuDriverOptions options) {
        IommuDriver driver = driver(options);
        assertEquals(StartResult.OK, driver.start());
        return driver;
    }

    private IommuDriver driver(IommuDriverOptions options) {
        return new IommuDriver(MmioDriverTransport.of(device), ram, options, result -> answers.add(result.tag() + " "
                + RequestType.name(result.type()) + " " + result.status() + " "
                + result.usedLength() + "/" + result.writableLength()));
    }
}
