// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.MmioRegister;

/** A window whose registers hold what was last written, and that remembers who came by. */
public class FakeMmio implements RegisterHandler {

    public final long[] registers = new long[0x200];
    public final List<String> log = new ArrayList<>();

    /** Status bits that do not stick. */
    public int refused;
    public long offeredLow = 1L << FeatureBit.VERSION_1;
    public long offeredHigh;

    public FakeMmio() {
        registers[(int) MmioRegister.MAGIC_VALUE] = MmioRegister.MAGIC;
        registers[(int) MmioRegister.VERSION] = MmioRegister.VERSION_2;
        registers[(int) MmioRegister.DEVICE_ID] = DeviceType.IOMMU;
        registers[(int) MmioRegister.QUEUE_SIZE_MAX] = 64;
    }

    @Override
    public long read(long offset, int width) {
        log.add("R" + width + " " + Long.toHexString(offset));
        if (offset == MmioRegister.DEVICE_FEATURES) {
            long word = registers[(int) MmioRegister.DEVICE_FEATURES_SEL];
            return ((word < 2 ? offeredLow : offeredHigh) >>> (word % 2 * 32)) & 0xffff_ffffL;
        }
        return registers[(int) offset];
    }

    @Override
    public void write(long offset, int width, long value) {
        log.add("W" + width + " " + Long.toHexString(offset) + " " + Long.toHexString(value));
        registers[(int) offset] = offset == MmioRegister.STATUS ? value & ~refused : value;
    }

    public List<String> statusWrites() {
        return log.stream().filter(entry -> entry.startsWith("W4 70 ")).map(entry -> entry.substring(6)).toList();
    }
}
