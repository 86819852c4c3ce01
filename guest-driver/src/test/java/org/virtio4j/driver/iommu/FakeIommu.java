// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.virtio4j.driver.FakeMmio;
import org.virtio4j.driver.FakeRing;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.MmioRegister;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.iommu.FaultEvent;
import org.virtio4j.wire.iommu.IommuConfig;

/**
 * A virtio-iommu without an IOMMU: it answers every request inside the kick with one status. Switches make it answer
 * late, in the wrong order, or with the wrong length. In quiet mode it allocates nothing.
 */
public final class FakeIommu extends FakeMmio {

    public static final int PROBE_SIZE = 512;
    public static final long WHOLE = -1;

    public final List<String> requests = new ArrayList<>();
    public final List<Integer> pieces = new ArrayList<>();
    public final FakeRing[] rings = new FakeRing[2];
    public int kicks;
    public int requestsSeen;
    public int status;
    public long usedLength = WHOLE;
    public boolean deaf;
    public boolean backwards;
    public boolean quiet;

    private final GuestRam ram;
    private final long[] addresses = new long[256];
    private final long[] lengths = new long[256];
    private int readable;
    private int all;

    public FakeIommu(GuestRam ram, int... features) {
        this.ram = ram;
        for (int bit : features) {
            offeredLow |= 1L << bit;
        }
        registers[(int) (MmioRegister.CONFIG + IommuConfig.PROBE_SIZE)] = PROBE_SIZE;
        registers[(int) (MmioRegister.CONFIG + IommuConfig.PAGE_SIZE_MASK)] = 0xffff_f000L;
        registers[(int) (MmioRegister.CONFIG + IommuConfig.PAGE_SIZE_MASK + 4)] = 0xffff_ffffL;
    }

    @Override
    public long read(long offset, int width) {
        return quiet ? registers[(int) offset] : super.read(offset, width);
    }

    @Override
    public void write(long offset, int width, long value) {
        if (offset == MmioRegister.QUEUE_NOTIFY) {
            kicks++;
            if (!deaf && value == IommuDriver.REQUEST_QUEUE) {
                serve();
            }
            return;
        }
        super.write(offset, width, value);
        if (offset == MmioRegister.QUEUE_READY && value == 1) {
            rings[(int) registers[(int) MmioRegister.QUEUE_SEL]] = new FakeRing(placed());
        }
    }

    public void serve() {
        FakeRing ring = rings[IommuDriver.REQUEST_QUEUE];
        if (backwards) {
            List<Integer> heads = new ArrayList<>();
            while (!ring.isEmpty()) {
                heads.add(ring.take());
            }
            heads.reversed().forEach(head -> answer(ring, head));
        }
        while (!ring.isEmpty()) {
            answer(ring, ring.take());
        }
        ring.askForKick();
    }

    public void report(int reason, int flags, int endpoint, long address, long length) {
        FakeRing ring = rings[IommuDriver.EVENT_QUEUE];
        int head = ring.take();
        walk(ring, head);
        ram.putI64(addresses[0], reason | ((long) flags << 32));
        ram.putI64(addresses[0] + FaultEvent.ENDPOINT, endpoint & 0xffff_ffffL);
        ram.putI64(addresses[0] + FaultEvent.ADDRESS, address);
        ring.giveBack(head, length);
    }

    private void answer(FakeRing ring, int head) {
        walk(ring, head);
        requestsSeen++;
        long writable = 0;
        for (int i = readable; i < all; i++) {
            writable += lengths[i];
        }
        if (!quiet) {
            requests.add(readableHex() + "/" + writable);
            pieces.add(all);
        }
        if (usedLength != 0 && writable >= 4) {
            for (int i = 0; i < 4; i++) {
                put(writable - 4 + i, i == 0 ? status : 0);
            }
        }
        ring.giveBack(head, usedLength == WHOLE ? writable : usedLength);
    }

    private void put(long place, int value) {
        long left = place;
        for (int i = readable; i < all; i++) {
            if (left < lengths[i]) {
                ram.putU8(addresses[i] + left, value);
                return;
            }
            left -= lengths[i];
        }
    }

    private void walk(FakeRing ring, int head) {
        long table = ring.descriptorTable;
        readable = 0;
        all = 0;
        long at = table + head * SplitDescriptor.SIZE;
        boolean more = true;
        while (more) {
            long second = ram.i64(at + SplitDescriptor.LEN);
            int flags = (int) (second >>> 32) & 0xffff;
            if ((flags & SplitDescriptor.FLAG_INDIRECT) != 0) {
                table = ram.i64(at);
                at = table;
                continue;
            }
            addresses[all] = ram.i64(at);
            lengths[all++] = second & 0xffff_ffffL;
            readable += (flags & SplitDescriptor.FLAG_WRITE) == 0 ? 1 : 0;
            more = (flags & SplitDescriptor.FLAG_NEXT) != 0;
            at = table + (second >>> 48) * SplitDescriptor.SIZE;
        }
    }

    private String readableHex() {
        StringBuilder hex = new StringBuilder();
        for (int i = 0; i < readable; i++) {
            for (long k = 0; k < lengths[i]; k++) {
                hex.append(HexFormat.of().toHexDigits((byte) ram.u8(addresses[i] + k)));
            }
        }
        return hex.toString();
    }

    private QueueMemory placed() {
        int size = (int) registers[(int) MmioRegister.QUEUE_SIZE];
        return new QueueMemory(size, view(MmioRegister.QUEUE_DESC_LOW, 16L * size),
                view(MmioRegister.QUEUE_DRIVER_LOW, 6 + 2L * size), view(MmioRegister.QUEUE_DEVICE_LOW, 6 + 8L * size));
    }

    private GuestBuffer view(long register, long size) {
        return ram.view(registers[(int) register] | (registers[(int) register + 4] << 32), size);
    }

    public static int[] plainFeatures() {
        return new int[] {0, 1, 2, 4, 5, 6};
    }

    public static int[] allFeatures() {
        return new int[] {0, 1, 2, 4, 5, 6, FeatureBit.INDIRECT_DESC, FeatureBit.EVENT_IDX};
    }
}
