// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.driver.pci.PciHost.Discovery;

/** How the capability list is walked, and which structures are taken. */
class FoundStructuresTest {

    private static final int COMMON = 1;
    private static final int NOTIFY = 2;
    private static final int ISR = 3;
    private static final int DEVICE = 4;

    private final FakePci fake = new FakePci(0x1057);

    @BeforeEach
    void putBars() {
        fake.bar(0, 0x4000, 0x4);
        fake.bar(2, 0x100, 0x1);
        fake.bar(4, 0x1000, 0x0);
    }

    // The list

    @Test
    void shouldFindNothingWhenTheStatusSpeaksOfNoList() {
        mandatory();
        fake.put(0x06, 2, 0);
        assertDiscovery(Discovery.NO_COMMON_CONFIG);
    }

    @Test
    void shouldEndWhenTheListGoesRoundInACircle() {
        mandatory();
        int last = fake.capability(0x05, 0, 0);
        fake.put(last + 1, 1, 0x40);
        assertDiscovery(Discovery.FOUND);
        fake.put(0x41, 1, 0x40);
        assertDiscovery(Discovery.NO_NOTIFICATIONS);
    }

    @Test
    void shouldMaskTheLowBitsWhenALinkIsUnaligned() {
        mandatory();
        fake.put(0x34, 1, fake.config[0x34] | 3);
        fake.put(0x41, 1, fake.config[0x41] | 2);
        assertDiscovery(Discovery.FOUND);
    }

    @Test
    void shouldEndWhenALinkLeadsIntoTheHeader() {
        mandatory();
        fake.put(0x41, 1, 0x10);
        assertDiscovery(Discovery.NO_NOTIFICATIONS);
        assertTrue(fake.log.stream().noneMatch("R1 10"::equals));
    }

    @Test
    void shouldPassOverACapabilityWhenItEndsBehindConfigurationSpace() {
        mandatory();
        fake.put(fake.notifications(0, 0x800, 0x100, 0) + 1, 1, 0xf4);
        fake.put(0xf4, 4, 0x0410_0009);
        assertDiscovery(Discovery.FOUND);
        assertTrue(fake.log.contains("R1 f5"));
        assertTrue(fake.log.stream().noneMatch("R1 f7"::equals));
    }

    // One capability

    @Test
    @DisplayName("4.1.4.1: reserved cfg_type and bar values are ignored")
    void shouldIgnoreWhatIsReserved() {
        for (int type : new int[] {0, 6, 7, 8, 9, 0xff}) {
            fake.virtio(type, 0, 0x3000, 0x100);
        }
        for (int bar : new int[] {6, 7, 0xff}) {
            fake.virtio(ISR, bar, 0, 1);
        }
        fake.virtio(COMMON, 0, 0, 0x40);
        assertDiscovery(Discovery.NO_NOTIFICATIONS);
    }

    @Test
    @DisplayName("4.1.4.1: a cap_len larger than specified is accepted, a shorter one is not")
    void shouldAcceptALongerCapability() {
        fake.put(fake.virtio(COMMON, 0, 0, 0x40) + 2, 1, 0xf0);
        fake.put(fake.notifications(0, 0x1000, 0x100, 4) + 2, 1, 32);
        fake.put(fake.virtio(ISR, 0, 0x2000, 1) + 2, 1, 15);
        assertDiscovery(Discovery.NO_ISR_STATUS);
        fake.virtio(ISR, 0, 0x2000, 1);
        assertDiscovery(Discovery.FOUND);
    }

    @Test
    void shouldRefuseNotificationsWhenTheMultiplierIsMissing() {
        mandatory();
        fake.put(0x50 + 2, 1, 16);
        assertDiscovery(Discovery.NO_NOTIFICATIONS);
    }

    @Test
    void shouldSayWhichStructureIsMissing() {
        assertDiscovery(Discovery.NO_COMMON_CONFIG);
        fake.virtio(COMMON, 0, 0, 0x40);
        assertDiscovery(Discovery.NO_NOTIFICATIONS);
        fake.notifications(0, 0x1000, 0x100, 4);
        assertDiscovery(Discovery.NO_ISR_STATUS);
        fake.virtio(ISR, 0, 0x2000, 1);
        assertDiscovery(Discovery.FOUND);
    }

    // Which of several

    @Test
    @DisplayName("4.1.4.1: the first instance that the driver can use is used")
    void shouldTakeTheFirstItCanUse() {
        fake.virtio(ISR, 2, 0, 1);
        fake.virtio(ISR, 4, 0x800, 1);
        fake.virtio(ISR, 4, 0x900, 1);
        fake.notifications(2, 0, 2, 0);
        fake.notifications(0, 0x1001, 0x100, 4);
        fake.notifications(0, 0x1000, 0x100, 4);
        fake.virtio(COMMON, 0, 2, 0x40);
        fake.virtio(COMMON, 4, 0x40, 0x40);
        PciDriverTransport transport = scan();
        fake.log.clear();
        transport.takeInterrupts();
        transport.status();
        transport.notifyQueue(5);
        assertEquals(List.of("R1 4:800", "R1 4:54", "W2 4:56 5", "R2 4:5e", "W2 0:1000 5"), fake.log);
    }

    @Test
    void shouldRefuseAStructureWhenItIsTooShortOrEndsBehindItsBar() {
        fake.virtio(COMMON, 0, 0, 0x37);
        fake.virtio(COMMON, 0, 0x3fcc, 0x40);
        fake.virtio(COMMON, 0, 0xffff_fffcL, 0x40);
        fake.virtio(COMMON, 1, 0, 0x40);
        fake.virtio(COMMON, 3, 0, 0x40);
        assertDiscovery(Discovery.NO_COMMON_CONFIG);
    }

    @Test
    @DisplayName("4.1.4.1: an unexpectedly large length is handled")
    void shouldCutOffALengthWhenItIsLargerThanTheBar() {
        fake.virtio(COMMON, 0, 0, 0xffff_ffffL);
        fake.notifications(0, 0x3ff0, 0xffff_ffffL, 8);
        fake.virtio(ISR, 0, 0x2000, 0xffff_ffffL);
        PciDriverTransport transport = scan();
        fake.log.clear();
        fake.set(0, 0x1e, 1);
        transport.notifyQueue(0);
        fake.set(0, 0x1e, 2);
        transport.notifyQueue(1);
        assertEquals(List.of("W2 0:16 0", "R2 0:1e", "W2 0:3ff8 0", "W2 0:16 1", "R2 0:1e"), fake.log);
    }

    private void mandatory() {
        fake.virtio(COMMON, 0, 0, 0x40);
        fake.notifications(0, 0x1000, 0x100, 4);
        fake.virtio(ISR, 0, 0x2000, 1);
        fake.virtio(DEVICE, 0, 0x3000, 0x40);
        assertEquals(NOTIFY, fake.config[0x53]);
    }

    private PciDriverTransport scan() {
        return new FakePciBus().with(0, 0, fake).host().scan().getFirst();
    }

    private void assertDiscovery(Discovery expected) {
        fake.log.clear();
        PciHost host = new FakePciBus().with(0, 0, fake).host();
        host.scan();
        assertEquals(expected, host.discovery(0, 0));
    }
}
