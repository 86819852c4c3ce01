// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.transport.Register;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/** Liberties that a device cannot grant, since something protects its guest or its memory by them. */
@ParameterizedClass
@EnumSource
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RefusedDriversTest {

    private static final int FOUND = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER;
    private static final int NEGOTIATED = FOUND | DeviceStatus.FEATURES_OK;
    private static final int RUNNING = NEGOTIATED | DeviceStatus.DRIVER_OK;

    private final RecordingDevice device = new RecordingDevice();
    private final FieldGuest guest;

    RefusedDriversTest(TransportKind kind) {
        guest = new FieldGuest(kind, device);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("2.1.1: one bit after the other, each without the ones before it, gets no further than the first")
    void shouldNotStartForADriverThatClearsTheBitsBefore() {
        for (int bit : List.of(DeviceStatus.ACKNOWLEDGE, DeviceStatus.DRIVER, DeviceStatus.FEATURES_OK,
                DeviceStatus.DRIVER_OK)) {
            acceptAll();
            status(bit);
            assertEquals(DeviceStatus.ACKNOWLEDGE, status());
        }
        assertEquals(List.of(), device.take());
        assertServes();
    }

    @Test
    @DisplayName("6.1: a driver without VERSION_1 may mean any byte order by what it writes")
    void shouldNotStartForADriverWithoutVersion1() {
        status(FOUND);
        acceptWord(0, 0);
        status(NEGOTIATED);
        assertEquals(FOUND, status());
        status(FOUND | DeviceStatus.DRIVER_OK);
        assertEquals(FOUND, status());
        assertEquals(List.of(), device.take());
        assertServes();
    }

    @Test
    @DisplayName("2.1.1: FAILED without the bits before it clears nothing, and the device can be reset")
    void shouldGoOnWhenFailedIsWrittenAlone() {
        status(FOUND);
        status(DeviceStatus.FAILED);
        assertEquals(FOUND, status());
        assertServes();
    }

    /** Whoever comes next and resets the device gets it. */
    private void assertServes() {
        status(0);
        device.take();
        status(FOUND);
        acceptAll();
        status(NEGOTIATED);
        status(RUNNING);
        assertEquals(RUNNING, status());
        assertEquals(List.of("activate"), device.take());
    }

    private void acceptAll() {
        acceptWord(0, 0);
        acceptWord(1, 1 << (FeatureBit.VERSION_1 - Integer.SIZE));
    }

    private void acceptWord(int word, int bits) {
        guest.port.write(Register.DRIVER_FEATURE_SELECT, word);
        guest.port.write(Register.DRIVER_FEATURE, bits);
    }

    private void status(int value) {
        guest.port.write(Register.STATUS, value);
    }

    private int status() {
        return (int) guest.port.read(Register.STATUS);
    }
}
