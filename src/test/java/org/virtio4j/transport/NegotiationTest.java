// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.virtio4j.fixture.RecordingDevice.BIT_OF_TYPE;
import static org.virtio4j.fixture.RecordingDevice.HIGH_BIT_OF_TYPE;
import static org.virtio4j.transport.Guest.FOUND;
import static org.virtio4j.transport.Guest.NEGOTIATED;
import static org.virtio4j.transport.Guest.RUNNING;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.Features;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.wire.FeatureBit;

/** Sections 2.2 and 6: what is offered, and what a driver may accept. */
class NegotiationTest extends TransportTests {

    static final Features VERSION_1 = Features.of(FeatureBit.VERSION_1);

    private final RecordingDevice device = guest.device;

    NegotiationTest(TransportKind kind) {
        super(kind);
    }

    @Test
    @DisplayName("2.2: the device offers its own features and those of rings, in words of 32; there are four words")
    void shouldOfferWhatTheDeviceAndTheRingsCan() {
        int ring = 1 << FeatureBit.INDIRECT_DESC | 1 << FeatureBit.EVENT_IDX | 1 << BIT_OF_TYPE;
        int transport = 1 | 1 << (FeatureBit.RING_RESET - 32);
        assertEquals(ring, guest.driver.offeredFeatures(0));
        assertEquals(transport, guest.driver.offeredFeatures(1));
        assertEquals(1 << (HIGH_BIT_OF_TYPE - 64), guest.driver.offeredFeatures(2));
        assertEquals(0, guest.driver.offeredFeatures(3));
        for (int word : new int[] {4, 5, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff}) {
            assertEquals(0, guest.driver.offeredFeatures(word), "word " + word);
        }
    }

    @Test
    @DisplayName("6: ACCESS_PLATFORM is offered behind a translator and nowhere else")
    void shouldOfferAccessPlatformOnlyBehindATranslator() {
        try (Guest behind = Guest.behindTable(kind)) {
            assertEquals(0, guest.driver.offeredFeatures(1) & 2);
            assertEquals(2, behind.driver.offeredFeatures(1) & 2);
        }
    }

    @Test
    @DisplayName("2.2: each word reads back as far as it is offered, and none changes another")
    void shouldReadBackTheBitsThatAreOffered() {
        assumeShown(Register.DRIVER_FEATURE);
        for (int word = 0; word < 4; word++) {
            guest.driver.acceptFeatures(word, -1);
            assertEquals(guest.driver.offeredFeatures(word), accepted(word));
        }
        guest.driver.acceptFeatures(0, 1 << BIT_OF_TYPE);
        assertEquals(1 << BIT_OF_TYPE, accepted(0));
        assertEquals(guest.driver.offeredFeatures(2), accepted(2), "one word does not change another");
        for (int word : new int[] {4, 5, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff}) {
            guest.driver.acceptFeatures(word, -1);
            assertEquals(0, accepted(word), "word " + word);
        }
    }

    @Test
    @DisplayName("2.2: each word is accepted by itself, and words that do not exist count for nothing")
    void shouldAcceptFeaturesWordByWord() {
        guest.writeStatus(FOUND);
        guest.driver.acceptFeatures(2, 1 << (HIGH_BIT_OF_TYPE - 64));
        guest.driver.acceptFeatures(0, 1 << BIT_OF_TYPE);
        guest.driver.acceptFeatures(1, 1 << (FeatureBit.VERSION_1 - 32));
        for (int word : new int[] {4, 5, 0x8000_0000, 0xffff_ffff, 0x7fff_ffff}) {
            guest.driver.acceptFeatures(word, -1);
        }
        guest.writeStatus(NEGOTIATED);
        assertEquals(NEGOTIATED, guest.status());
        guest.writeStatus(RUNNING);
        assertEquals(VERSION_1.with(BIT_OF_TYPE).with(HIGH_BIT_OF_TYPE), device.active().features());
    }

    @Test
    @DisplayName("2.2.1, 3.1.1: FEATURES_OK stays clear when a bit is accepted that was not offered, each of all 128")
    void shouldRefuseBitsThatAreNotOffered() {
        Features offered = new Features(0, 0);
        for (int word = 0; word < 4; word++) {
            offered = offered.withWord(word, guest.driver.offeredFeatures(word));
        }
        for (int bit = 0; bit < 128; bit++) {
            guest.writeStatus(0);
            guest.writeStatus(FOUND);
            guest.accept(VERSION_1.with(bit));
            guest.writeStatus(NEGOTIATED);
            assertEquals(offered.has(bit) ? NEGOTIATED : FOUND, guest.status(), "bit " + bit);
        }
    }

    @Test
    @DisplayName("6: a driver without VERSION_1 is refused, and may try again")
    void shouldRefuseADriverWithoutVersion1() {
        guest.writeStatus(FOUND);
        guest.accept(Features.of(BIT_OF_TYPE));
        guest.writeStatus(RUNNING);
        assertEquals(FOUND, guest.status(), "neither FEATURES_OK nor DRIVER_OK");
        assertEquals(List.of(), device.take());
        guest.accept(VERSION_1);
        guest.writeStatus(NEGOTIATED);
        assertEquals(NEGOTIATED, guest.status(), "it may try again");
    }

    @Test
    @DisplayName("6: a driver behind a translator is refused without ACCESS_PLATFORM")
    void shouldRefuseADriverBehindATranslatorThatTakesAddressesForPhysicalOnes() {
        try (Guest behind = Guest.behindTable(kind)) {
            behind.writeStatus(FOUND);
            behind.accept(VERSION_1);
            behind.writeStatus(NEGOTIATED);
            assertEquals(FOUND, behind.status());
            behind.accept(VERSION_1.with(FeatureBit.ACCESS_PLATFORM));
            behind.writeStatus(NEGOTIATED);
            assertEquals(NEGOTIATED, behind.status());
        }
    }

    @Test
    @DisplayName("3.1.1: once FEATURES_OK is set, no feature can be accepted or given back")
    void shouldKeepTheFeaturesOnceTheyAreAccepted() {
        guest.negotiate(BIT_OF_TYPE);
        guest.accept(Features.NONE);
        assertAccepted(1 << BIT_OF_TYPE);
        guest.writeStatus(RUNNING);
        guest.driver.acceptFeatures(0, 0);
        assertAccepted(1 << BIT_OF_TYPE);
        assertEquals(VERSION_1.with(BIT_OF_TYPE), device.active().features());
    }

    @Test
    @DisplayName("2.2.2: the device is told once what was negotiated, and nothing of a set that was refused")
    void shouldTellTheDeviceOnceWhatWasNegotiated() {
        guest.writeStatus(FOUND);
        guest.accept(Features.of(BIT_OF_TYPE));
        guest.writeStatus(NEGOTIATED);
        assertEquals(List.of(), device.negotiated, "a set that is refused is none");
        guest.accept(VERSION_1.with(BIT_OF_TYPE));
        guest.writeStatus(NEGOTIATED);
        assertEquals(List.of(VERSION_1.with(BIT_OF_TYPE)), device.negotiated);
        guest.writeStatus(NEGOTIATED);
        guest.writeStatus(RUNNING);
        assertEquals(1, device.negotiated.size());
    }

    @Test
    @DisplayName("2.2.2, 2.4.1: a device that accepted a set accepts it again after a reset, which clears it")
    void shouldAcceptTheSameFeaturesAgainAfterAReset() {
        for (int i = 0; i < 3; i++) {
            guest.negotiate(BIT_OF_TYPE, FeatureBit.EVENT_IDX);
            guest.writeStatus(0);
            assertAccepted(0);
            guest.writeStatus(NEGOTIATED);
            assertEquals(FOUND, guest.status(), "VERSION_1 is cleared too");
            guest.writeStatus(0);
        }
    }

    private int accepted(int word) {
        guest.port.write(Register.DRIVER_FEATURE_SELECT, Integer.toUnsignedLong(word));
        return (int) guest.port.read(Register.DRIVER_FEATURE);
    }

    private void assertAccepted(int bitsOfWord0) {
        if (guest.port.shows(Register.DRIVER_FEATURE)) {
            assertEquals(bitsOfWord0, accepted(0));
        }
    }
}
