// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.util.concurrent.Executor;
import java.util.function.IntConsumer;
import org.virtio4j.device.VirtioDevice;

/** The devices that the guide shows, for tests that put them behind every transport. */
public final class GuideDevices {

    /** A thermometer, and what is called when a temperature was measured. */
    public record Thermometer(VirtioDevice device, IntConsumer measured) {
    }

    private GuideDevices() {
    }

    /** The device of fifteen lines. */
    public static VirtioDevice entropy() {
        return new EntropyDevice();
    }

    /** The device that answers out of order. */
    public static VirtioDevice checksum(Executor pool) {
        return new ChecksumDevice(pool);
    }

    /** The device with a configuration and two queues. */
    public static Thermometer thermometer() {
        ThermometerDevice made = new ThermometerDevice();
        return new Thermometer(made, made::measured);
    }
}
