// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which writes to the configuration space would give bus mastering back to a device that was cut off. */
class VfioDeviceTest {

    @ParameterizedTest
    @CsvSource({"4, 2, 0x4, true", "4, 1, 0x6, true", "4, 4, 0x100007, true", "4, 2, 0x403, false",
        "5, 1, 0x4, false", "6, 2, 0x4, false", "2, 4, 0x40000, true", "2, 2, 0x4, false", "0, 4, 0x4, false"})
    void shouldKnowWritesThatSwitchBusMasteringOn(int register, int width, String value, boolean sets) {
        assertEquals(sets, VfioDevice.setsBusMaster(register, width, Long.decode(value)));
    }
}
