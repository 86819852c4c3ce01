// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.mmio;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.DeviceQueue;
import org.virtio4j.wire.DeviceType;

/** A device that returns every buffer at once, unwritten, and whose configuration is plain bytes. */
final class FakeDevice implements VirtioDevice {

    static final int QUEUE_SIZE_0 = 256;
    static final int QUEUE_SIZE_1 = 64;
    static final int CONFIG_SIZE = 40;

    final byte[] config;
    final List<Integer> kicks = new ArrayList<>();
    final List<ResetKind> resets = new ArrayList<>();
    final Chain chain = new Chain();
    private final Features offered;
    @Nullable DeviceContext context;

    FakeDevice(int... bits) {
        this(Features.of(bits), new byte[CONFIG_SIZE]);
    }

    FakeDevice(byte[] config) {
        this(Features.NONE, config);
    }

    private FakeDevice(Features offered, byte[] config) {
        this.offered = offered;
        this.config = config;
    }

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(DeviceType.ENTROPY, List.of(QUEUE_SIZE_0, QUEUE_SIZE_1), config.length);
    }

    @Override
    public Features offered() {
        return offered;
    }

    @Override
    public void activate(DeviceContext activated) {
        context = activated;
        kicks.clear();
    }

    @Override
    public void kicked(int queue) {
        kicks.add(queue);
        DeviceContext active = context;
        DeviceQueue ring = active == null ? null : active.queue(queue);
        if (active == null || ring == null) {
            return;
        }
        ring.enter();
        while (ring.poll(chain)) {
            ring.complete(chain);
        }
        ring.leave();
        if (ring.publish()) {
            active.interrupt(queue);
        }
    }

    @Override
    public void reset(ResetKind kind) {
        resets.add(kind);
        context = null;
    }

    @Override
    public long readConfig(int offset, int width) {
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = (value << Byte.SIZE) | (config[offset + i] & 0xff);
        }
        return value;
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        for (int i = 0; i < width; i++) {
            config[offset + i] = (byte) (value >>> (i * Byte.SIZE));
        }
    }
}
