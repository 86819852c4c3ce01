// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.util.List;
import org.openjdk.jmh.infra.Blackhole;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.wire.DeviceType;

/** A device that does nothing when it is kicked, so that what a doorbell costs is the transport's part. */
public final class IdleDevice implements VirtioDevice {

    public static final int RING = 256;

    private static final DeviceInfo INFO = new DeviceInfo(DeviceType.ENTROPY, List.of(RING), 0);

    private final Blackhole blackhole;

    public IdleDevice(Blackhole blackhole) {
        this.blackhole = blackhole;
    }

    @Override
    public DeviceInfo info() {
        return INFO;
    }

    @Override
    public Features offered() {
        return Features.NONE;
    }

    @Override
    public void activate(DeviceContext context) {
        // It never looks at its queue.
    }

    @Override
    public void kicked(int queue) {
        blackhole.consume(queue);
    }

    @Override
    public void reset(ResetKind kind) {
        // There is nothing to forget.
    }

    @Override
    public long readConfig(int offset, int width) {
        return 0;
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        // There is no configuration.
    }
}
