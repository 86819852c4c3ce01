// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import org.virtio4j.device.transport.ConfigWindow;
import org.virtio4j.device.transport.DeviceLifecycle;
import org.virtio4j.device.transport.QueueKicks;
import org.virtio4j.wire.pci.CommonConfig;

/**
 * Decodes accesses to the BAR with virtio's structures, see {@link BarLayout}. Any thread.
 *
 * <p>A queue is told by the address that is notified, not by the value: each has its own, and a correct driver writes
 * the matching index there. So notification data (section 2.9) needs nothing more, and a notification costs no look at
 * what was negotiated.
 */
final class VirtioStructures {

    private final ConfigWindow config;
    private final QueueKicks kicks;
    private final FunctionInterrupts interrupts;
    private final CommonRegisters common;
    private final BusMastering mastering;

    /**
     * Decodes for one function.
     *
     * @param mastering asked at each notification whether it counts
     */
    VirtioStructures(DeviceLifecycle lifecycle, FunctionInterrupts interrupts, BusMastering mastering) {
        this.config = lifecycle.config();
        this.kicks = lifecycle.kicks();
        this.interrupts = interrupts;
        this.mastering = mastering;
        this.common = new CommonRegisters(lifecycle, interrupts);
    }

    long read(long offset, int width) {
        if (offset >= BarLayout.NOTIFY) {
            return 0;
        }
        if (offset >= BarLayout.DEVICE) {
            return config.read(offset - BarLayout.DEVICE, width);
        }
        if (offset >= BarLayout.COMMON && offset < BarLayout.COMMON + CommonConfig.SIZE) {
            return common.read((int) (offset - BarLayout.COMMON), width);
        }
        return offset == BarLayout.ISR && width == Byte.BYTES ? interrupts.takeIsr() : 0;
    }

    void write(long offset, int width, long value) {
        if (offset >= BarLayout.NOTIFY) {
            notifyQueue(offset - BarLayout.NOTIFY, width);
        } else if (offset >= BarLayout.DEVICE) {
            config.write(offset - BarLayout.DEVICE, width, value);
        } else if (offset >= BarLayout.COMMON && offset < BarLayout.COMMON + CommonConfig.SIZE) {
            common.write((int) (offset - BarLayout.COMMON), width, value);
        }
    }

    void resetSelectors() {
        common.resetSelectors();
    }

    /** Section 4.1.5.2: 16 bits are written, 32 with notification data. */
    private void notifyQueue(long at, int width) {
        if ((width == Short.BYTES || width == Integer.BYTES) && at % BarLayout.NOTIFY_MULTIPLIER == 0) {
            if (mastering.admits()) {
                kicks.kick(at / BarLayout.NOTIFY_MULTIPLIER);
            }
        }
    }
}
