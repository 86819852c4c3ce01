// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import java.util.List;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;

/** An entropy source as section 5.4 has it: no configuration; and this one does nothing. */
final class NoConfiguration implements VirtioDevice {

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(4, List.of(8), 0);
    }

    @Override
    public Features offered() {
        return Features.NONE;
    }

    @Override
    public void activate(DeviceContext context) {
        // Nothing to do.
    }

    @Override
    public void kicked(int queue) {
        // Nothing to do.
    }

    @Override
    public void reset(ResetKind kind) {
        // Nothing to forget.
    }

    @Override
    public long readConfig(int offset, int width) {
        throw new AssertionError("there is nothing to read");
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        throw new AssertionError("there is nothing to write");
    }
}
