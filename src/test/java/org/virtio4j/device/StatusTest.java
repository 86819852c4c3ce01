// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.virtio4j.device.LifecycleFixture.BIT_OF_TYPE;
import static org.virtio4j.device.LifecycleFixture.FOUND;
import static org.virtio4j.device.LifecycleFixture.NEGOTIATED;
import static org.virtio4j.device.LifecycleFixture.NO_DRIVER;
import static org.virtio4j.device.LifecycleFixture.RUNNING;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/** Sections 2.1, 2.2 and 3.1.1: how far a driver may go, and with which features. */
class StatusTest {

    private final LifecycleFixture fixture = LifecycleFixture.identity();
    private final DeviceLifecycle lifecycle = fixture.lifecycle;

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void shouldGoStepByStepAndStartTheDeviceAtTheLast() {
        assertEquals(NO_DRIVER, lifecycle.status());
        lifecycle.writeStatus(DeviceStatus.ACKNOWLEDGE);
        assertEquals(DeviceStatus.ACKNOWLEDGE, lifecycle.status());
        lifecycle.writeStatus(FOUND);
        assertEquals(FOUND, lifecycle.status());
        fixture.accept(Features.of(FeatureBit.VERSION_1, BIT_OF_TYPE));
        lifecycle.writeStatus(NEGOTIATED);
        assertEquals(NEGOTIATED, lifecycle.status());
        assertEquals(List.of(), fixture.device.take(), "nothing before DRIVER_OK");
        lifecycle.writeStatus(RUNNING);
        assertEquals(RUNNING, lifecycle.status());
        assertEquals(List.of("activate"), fixture.device.take());
        assertEquals(Features.of(FeatureBit.VERSION_1, BIT_OF_TYPE), fixture.device.active().features());
        lifecycle.writeStatus(RUNNING);
        assertEquals(List.of(), fixture.device.take(), "the same status again changes nothing");
        assertEquals(List.of(), fixture.signals.take(), "no interrupt for it either");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8, 12, 14, 6, 5, 13, 9, 10})
    void shouldIgnoreAStepThatSkipsWhatMustComeBefore(int value) {
        fixture.accept(Features.of(FeatureBit.VERSION_1));
        lifecycle.writeStatus(value);
        assertEquals(NO_DRIVER, lifecycle.status());
        assertEquals(List.of(), fixture.device.take());
    }

    @Test
    void shouldIgnoreAStepThatClearsABit() {
        fixture.run();
        for (int value = 1; value < RUNNING; value++) {
            lifecycle.writeStatus(value);
            assertEquals(RUNNING, lifecycle.status(), "written " + value);
        }
    }

    @Test
    void shouldIgnoreBitsThatAreNotTheDrivers() {
        lifecycle.writeStatus(DeviceStatus.ACKNOWLEDGE | DeviceStatus.SUSPEND | 32 | DeviceStatus.NEEDS_RESET | 0x1200);
        assertEquals(DeviceStatus.ACKNOWLEDGE, lifecycle.status());
        lifecycle.writeStatus(0x100);
        assertEquals(DeviceStatus.ACKNOWLEDGE, lifecycle.status(), "only a 0 is a reset");
        assertEquals(List.of(), fixture.device.take());
    }

    @Test
    void shouldShowThatTheDriverHasGivenUp() {
        lifecycle.writeStatus(DeviceStatus.FAILED);
        assertEquals(DeviceStatus.FAILED, lifecycle.status());
        lifecycle.writeStatus(0);
        fixture.run();
        lifecycle.writeStatus(RUNNING | DeviceStatus.FAILED);
        assertEquals(RUNNING | DeviceStatus.FAILED, lifecycle.status());
    }

    @Test
    void shouldTakeSeveralStepsAtOnce() {
        fixture.accept(Features.of(FeatureBit.VERSION_1));
        lifecycle.writeStatus(RUNNING);
        assertEquals(RUNNING, lifecycle.status());
        assertEquals(List.of("activate"), fixture.device.take());
    }

    // Features

    @Test
    void shouldOfferWhatTheDeviceAndTheRingsCan() {
        int ring = 1 << FeatureBit.INDIRECT_DESC | 1 << FeatureBit.EVENT_IDX | 1 << BIT_OF_TYPE;
        int transport = 1 | 1 << (FeatureBit.RING_RESET - 32);
        assertEquals(ring, lifecycle.deviceFeatures(0));
        assertEquals(transport, lifecycle.deviceFeatures(1));
        assertEquals(1 << 6, lifecycle.deviceFeatures(2));
        assertEquals(0, lifecycle.deviceFeatures(3));
        for (long select : new long[] {4, 5, 0x8000_0000L, 0xffff_ffffL, -1, Long.MIN_VALUE, 1L << 32}) {
            assertEquals(0, lifecycle.deviceFeatures(select), "select " + select);
            assertEquals(0, lifecycle.driverFeatures(select), "select " + select);
        }
    }

    @Test
    void shouldOfferAccessPlatformOnlyBehindATranslator() {
        try (LifecycleFixture behind = LifecycleFixture.behindTable()) {
            assertEquals(0, lifecycle.deviceFeatures(1) & 2);
            assertEquals(2, behind.lifecycle.deviceFeatures(1) & 2);
        }
    }

    @Test
    void shouldReadBackTheBitsThatAreOffered() {
        for (long select = 0; select < 4; select++) {
            lifecycle.writeDriverFeatures(select, -1);
            assertEquals(lifecycle.deviceFeatures(select), lifecycle.driverFeatures(select));
        }
        lifecycle.writeDriverFeatures(0, 1 << BIT_OF_TYPE);
        assertEquals(1 << BIT_OF_TYPE, lifecycle.driverFeatures(0));
        assertEquals(lifecycle.deviceFeatures(2), lifecycle.driverFeatures(2), "one word does not change another");
    }

    @Test
    void shouldRefuseBitsThatAreNotOffered() {
        for (int bit = 0; bit < 128; bit++) {
            Features offered = new Features(0, 0);
            for (int word = 0; word < 4; word++) {
                offered = offered.withWord(word, lifecycle.deviceFeatures(word));
            }
            lifecycle.writeStatus(0);
            lifecycle.writeStatus(FOUND);
            fixture.accept(Features.of(FeatureBit.VERSION_1, bit));
            lifecycle.writeStatus(NEGOTIATED);
            assertEquals(offered.has(bit) ? NEGOTIATED : FOUND, lifecycle.status(), "bit " + bit);
        }
    }

    @Test
    void shouldRefuseADriverWithoutVersion1() {
        lifecycle.writeStatus(FOUND);
        fixture.accept(Features.of(BIT_OF_TYPE));
        lifecycle.writeStatus(RUNNING);
        assertEquals(FOUND, lifecycle.status(), "neither FEATURES_OK nor DRIVER_OK");
        assertEquals(List.of(), fixture.device.take());
        fixture.accept(Features.of(FeatureBit.VERSION_1));
        lifecycle.writeStatus(NEGOTIATED);
        assertEquals(NEGOTIATED, lifecycle.status(), "it may try again");
    }

    @Test
    void shouldRefuseADriverBehindATranslatorThatTakesAddressesForPhysicalOnes() {
        try (LifecycleFixture behind = LifecycleFixture.behindTable()) {
            behind.lifecycle.writeStatus(FOUND);
            behind.accept(Features.of(FeatureBit.VERSION_1));
            behind.lifecycle.writeStatus(NEGOTIATED);
            assertEquals(FOUND, behind.lifecycle.status());
            behind.accept(Features.of(FeatureBit.VERSION_1, FeatureBit.ACCESS_PLATFORM));
            behind.lifecycle.writeStatus(NEGOTIATED);
            assertEquals(NEGOTIATED, behind.lifecycle.status());
        }
    }

    @Test
    void shouldKeepTheFeaturesOnceTheyAreSettled() {
        fixture.negotiate(BIT_OF_TYPE);
        fixture.accept(Features.NONE);
        assertEquals(1 << BIT_OF_TYPE, lifecycle.driverFeatures(0));
        lifecycle.writeStatus(RUNNING);
        lifecycle.writeDriverFeatures(0, 0);
        assertEquals(1 << BIT_OF_TYPE, lifecycle.driverFeatures(0));
        assertEquals(Features.of(FeatureBit.VERSION_1, BIT_OF_TYPE), fixture.device.active().features());
    }

    @Test
    void shouldTellTheDeviceOnceWhatWasNegotiated() {
        lifecycle.writeStatus(FOUND);
        fixture.accept(Features.of(BIT_OF_TYPE));
        lifecycle.writeStatus(NEGOTIATED);
        assertEquals(List.of(), fixture.device.negotiated, "a set that is refused is none");
        fixture.accept(Features.of(FeatureBit.VERSION_1, BIT_OF_TYPE));
        lifecycle.writeStatus(NEGOTIATED);
        assertEquals(List.of(Features.of(FeatureBit.VERSION_1, BIT_OF_TYPE)), fixture.device.negotiated);
        lifecycle.writeStatus(NEGOTIATED);
        lifecycle.writeStatus(RUNNING);
        assertEquals(1, fixture.device.negotiated.size());
    }

    @Test
    void shouldAcceptTheSameFeaturesAgainAfterAReset() {
        for (int i = 0; i < 3; i++) {
            fixture.negotiate(BIT_OF_TYPE, FeatureBit.EVENT_IDX);
            lifecycle.writeStatus(0);
            assertEquals(0, lifecycle.driverFeatures(0), "what a driver accepted is forgotten");
        }
    }

    @Test
    void shouldNeverShowAStateThatCannotBe() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("StatusTest -Dvirtio4j.seed=" + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            int before = lifecycle.status();
            int written = random.nextInt(256);
            if (random.nextInt(3) == 0) {
                fixture.accept(Features.of(random.nextBoolean() ? FeatureBit.VERSION_1 : BIT_OF_TYPE));
            }
            lifecycle.writeStatus(written);
            int after = lifecycle.status();
            assertEquals(written == 0 ? 0 : before | after, after, "a bit was cleared");
            assertEquals(0, after & ~(before | written), "a bit was set that nobody wrote");
            assertFalse((after & 2) != 0 && (after & 1) == 0);
            assertFalse((after & 8) != 0 && (after & 2) == 0);
            assertFalse((after & 4) != 0 && (after & 8) == 0);
            assertEquals((after & 4) != 0, fixture.device.context != null);
        }
    }
}
