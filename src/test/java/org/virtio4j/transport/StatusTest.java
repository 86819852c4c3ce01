// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.virtio4j.fixture.RecordingDevice.BIT_OF_TYPE;
import static org.virtio4j.transport.Guest.FOUND;
import static org.virtio4j.transport.Guest.NEGOTIATED;
import static org.virtio4j.transport.Guest.NO_DRIVER;
import static org.virtio4j.transport.Guest.RUNNING;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.Features;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.fixture.Seeds;
import org.virtio4j.wire.DeviceStatus;

/** Sections 2.1 and 3.1.1: how far a driver may go. */
class StatusTest extends TransportTests {

    private static final int DRIVER = DeviceStatus.DRIVER;
    private static final int DRIVER_NEGOTIATED = DRIVER | DeviceStatus.FEATURES_OK;
    private static final int DRIVER_RUNNING = DRIVER_NEGOTIATED | DeviceStatus.DRIVER_OK;

    private final RecordingDevice device = guest.device;

    StatusTest(TransportKind kind) {
        super(kind);
    }

    @Test
    @DisplayName("3.1.1: a driver goes step by step, and the device starts at the last")
    void shouldGoStepByStepAndStartTheDeviceAtTheLast() {
        assertEquals(NO_DRIVER, guest.status());
        guest.writeStatus(DeviceStatus.ACKNOWLEDGE);
        assertEquals(DeviceStatus.ACKNOWLEDGE, guest.status());
        guest.writeStatus(FOUND);
        assertEquals(FOUND, guest.status());
        guest.accept(NegotiationTest.VERSION_1.with(BIT_OF_TYPE));
        guest.writeStatus(NEGOTIATED);
        assertEquals(NEGOTIATED, guest.status());
        assertEquals(List.of(), device.take(), "nothing before DRIVER_OK");
        guest.writeStatus(RUNNING);
        assertEquals(RUNNING, guest.status());
        assertEquals(List.of("activate"), device.take());
        assertEquals(NegotiationTest.VERSION_1.with(BIT_OF_TYPE), device.active().features());
        guest.writeStatus(RUNNING);
        assertEquals(List.of(), device.take(), "the same status again changes nothing");
        guest.assertInterrupts(0);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 12, 6, 5, 13, 9})
    @DisplayName("2.1.1, 3.1.1: a step that skips what must come before is ignored")
    void shouldIgnoreAStepThatSkipsWhatMustComeBefore(int value) {
        guest.accept(NegotiationTest.VERSION_1);
        guest.writeStatus(value);
        assertEquals(NO_DRIVER, guest.status());
        assertEquals(List.of(), device.take());
    }

    @Test
    @DisplayName("3.1.1: the order binds the driver, and nothing needs ACKNOWLEDGE")
    void shouldStartWithoutAcknowledge() {
        guest.accept(NegotiationTest.VERSION_1);
        for (int value : List.of(DRIVER, DRIVER, DRIVER_NEGOTIATED, DRIVER_NEGOTIATED, DRIVER_RUNNING)) {
            assertEquals(List.of(), device.take());
            guest.writeStatus(value);
            assertEquals(value, guest.status());
        }
        assertEquals(List.of("activate"), device.take());
    }

    @ParameterizedTest
    @ValueSource(ints = {DRIVER, DRIVER_NEGOTIATED, DRIVER_RUNNING})
    @DisplayName("3.1.1: several steps at once without ACKNOWLEDGE, and ACKNOWLEDGE after them")
    void shouldTakeAcknowledgeAtAnyStep(int value) {
        guest.accept(NegotiationTest.VERSION_1);
        guest.writeStatus(value);
        assertEquals(value, guest.status());
        guest.writeStatus(value | DeviceStatus.ACKNOWLEDGE);
        assertEquals(value | DeviceStatus.ACKNOWLEDGE, guest.status());
        guest.writeStatus(value);
        assertEquals(value | DeviceStatus.ACKNOWLEDGE, guest.status(), "a driver cannot clear a bit (2.1.1)");
        assertEquals(value == DRIVER_RUNNING ? List.of("activate") : List.of(), device.take());
    }

    @Test
    @DisplayName("2.1.1: a driver cannot clear a bit")
    void shouldIgnoreAStepThatClearsABit() {
        guest.run();
        for (int value = 1; value < RUNNING; value++) {
            guest.writeStatus(value);
            assertEquals(RUNNING, guest.status(), "written " + value);
        }
    }

    @Test
    @DisplayName("2.1: bits that are not the driver's, or nobody's, are ignored")
    void shouldIgnoreBitsThatAreNotTheDrivers() {
        guest.writeStatus(DeviceStatus.ACKNOWLEDGE | DeviceStatus.SUSPEND | 32 | DeviceStatus.NEEDS_RESET);
        assertEquals(DeviceStatus.ACKNOWLEDGE, guest.status());
        assertEquals(List.of(), device.take());
    }

    @ParameterizedTest
    @ValueSource(ints = {0x100, 0x1200, 0x7fff_ff00})
    @DisplayName("2.1: where the register is wider than the status, only a 0 is a reset")
    void shouldResetOnlyWhenAllOfTheRegisterIsZero(int value) {
        assumeFits(Register.STATUS, value);
        guest.writeStatus(DeviceStatus.ACKNOWLEDGE);
        guest.writeStatus(value);
        assertEquals(DeviceStatus.ACKNOWLEDGE, guest.status());
        guest.writeStatus(value | FOUND);
        assertEquals(FOUND, guest.status());
        assertEquals(List.of(), device.take());
    }

    @Test
    @DisplayName("2.1: FAILED is shown, whenever the driver gives up")
    void shouldShowThatTheDriverHasGivenUp() {
        guest.writeStatus(DeviceStatus.FAILED);
        assertEquals(DeviceStatus.FAILED, guest.status());
        guest.writeStatus(0);
        guest.run();
        guest.writeStatus(RUNNING | DeviceStatus.FAILED);
        assertEquals(RUNNING | DeviceStatus.FAILED, guest.status());
    }

    @Test
    @DisplayName("3.1.1: several steps at once are taken, if none is left out")
    void shouldTakeSeveralStepsAtOnce() {
        guest.accept(NegotiationTest.VERSION_1);
        guest.writeStatus(RUNNING);
        assertEquals(RUNNING, guest.status());
        assertEquals(List.of("activate"), device.take());
    }

    @Test
    @DisplayName("2.1, 3.1.1: no order of writes leads to a status that cannot be")
    void shouldNeverShowAStateThatCannotBe() {
        Random random = new Random(Seeds.next());
        for (int i = 0; i < 20_000; i++) {
            int before = guest.status();
            int written = random.nextInt(256);
            if (random.nextInt(3) == 0) {
                guest.accept(random.nextBoolean() ? NegotiationTest.VERSION_1 : Features.of(BIT_OF_TYPE));
            }
            guest.writeStatus(written);
            int after = guest.status();
            assertEquals(written == 0 ? 0 : before | after, after, "a bit was cleared");
            assertEquals(0, after & ~(before | written), "a bit was set that nobody wrote");
            assertFalse((after & 8) != 0 && (after & 2) == 0);
            assertFalse((after & 4) != 0 && (after & 8) == 0);
            assertEquals((after & 4) != 0, device.context != null);
        }
    }
}
