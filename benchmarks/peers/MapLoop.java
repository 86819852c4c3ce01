// SPDX-License-Identifier: Apache-2.0

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.wire.AvailableRing;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.MmioRegister;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.UsedRing;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.IommuFeature;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.UnmapRequest;

/**
 * The same work as {@code map_loop.c}, through our ring, device and mapping table: MAP and UNMAP requests in batches of
 * 64, one readable and one writable descriptor each, a ring of 256 entries, 4 KiB mappings spaced 8 KiB apart, at most
 * 1,000 live. The device's time is that of the doorbell write, which returns when the batch is answered.
 *
 * <p>Usage: {@code MapLoop [rounds]}; {@code compare} beside this file runs it beside the C program.
 */
public final class MapLoop {

    private static final int RING = 256;
    private static final int BATCH = 64;
    private static final int LIVE = 1000;
    private static final long PAGE = 4096;
    private static final long GPA = 0x10_0000;
    private static final long DESCRIPTORS = 0;
    private static final long AVAILABLE = 0x2000;
    private static final long USED = 0x4000;
    private static final long REQUESTS = 0x8000;
    private static final long REQUEST_STRIDE = 64;
    private static final long TAIL_OFFSET = 48;

    private final VirtioMmioDevice window;
    private final MemorySegment ram;
    private int available;
    private long deviceNanos;

    private MapLoop(VirtioMmioDevice window, MemorySegment ram) {
        this.window = window;
        this.ram = ram;
    }

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 400;
        try (GuestMemory memory = GuestMemory.anonymous(GPA, 1 << 20)) {
            VirtioIommu iommu = VirtioIommu.builder().endpoint(8).build();
            VirtioMmioDevice window = VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { });
            MemoryRegion region = memory.map().region(0);
            MapLoop loop = new MapLoop(window, region.segment());
            loop.start();
            loop.run("ascending", addresses(false), rounds);
            loop.run("shuffled", addresses(true), rounds);
        }
    }

    private static long[] addresses(boolean shuffled) {
        long[] all = new long[LIVE];
        for (int i = 0; i < LIVE; i++) {
            all[i] = 0x1000_0000L + i * 2 * PAGE;
        }
        if (shuffled) {
            Random random = new Random(1);
            for (int i = LIVE - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                long swap = all[i];
                all[i] = all[j];
                all[j] = swap;
            }
        }
        return all;
    }

    /** Half the rounds warm up; of the others the median counts. */
    private void run(String order, long[] addresses, int rounds) {
        double[][] samples = new double[4][rounds - rounds / 2];
        for (int round = 0; round < rounds; round++) {
            int at = round - rounds / 2;
            double[] map = pass(RequestType.MAP, addresses);
            double[] unmap = pass(RequestType.UNMAP, addresses);
            if (at >= 0) {
                samples[0][at] = map[0];
                samples[1][at] = unmap[0];
                samples[2][at] = map[1];
                samples[3][at] = unmap[1];
            }
        }
        for (double[] sample : samples) {
            Arrays.sort(sample);
        }
        System.out.printf("java %-9s device: map %.1f unmap %.1f ns  driver+device: map %.1f unmap %.1f ns%n", order,
                median(samples[0]), median(samples[1]), median(samples[2]), median(samples[3]));
    }

    private static double median(double[] sorted) {
        return sorted[sorted.length / 2];
    }

    private double[] pass(int type, long[] addresses) {
        deviceNanos = 0;
        long started = System.nanoTime();
        for (int i = 0; i < addresses.length; i += BATCH) {
            int count = Math.min(BATCH, addresses.length - i);
            for (int slot = 0; slot < count; slot++) {
                put(type, slot, addresses[i + slot]);
            }
            kick(count);
        }
        long all = System.nanoTime() - started;
        return new double[] {(double) deviceNanos / addresses.length, (double) all / addresses.length};
    }

    private void put(int type, int slot, long virtStart) {
        long at = REQUESTS + slot * REQUEST_STRIDE;
        LittleEndian.putI32(ram, at + RequestHead.TYPE, type);
        LittleEndian.putI32(ram, at + MapRequest.DOMAIN, 1);
        LittleEndian.putI64(ram, at + MapRequest.VIRT_START, virtStart);
        LittleEndian.putI64(ram, at + MapRequest.VIRT_END, virtStart + PAGE - 1);
        long readable = UnmapRequest.SIZE;
        if (type == RequestType.MAP) {
            LittleEndian.putI64(ram, at + MapRequest.PHYS_START, virtStart >> 1);
            LittleEndian.putI32(ram, at + MapRequest.FLAGS, MapRequest.FLAG_READ | MapRequest.FLAG_WRITE);
            readable = MapRequest.SIZE;
        } else {
            LittleEndian.putI32(ram, at + UnmapRequest.RESERVED, 0);
        }
        LittleEndian.putU8(ram, at + TAIL_OFFSET, 0xff);
        post(slot, readable);
    }

    private void post(int slot, long readable) {
        int head = 2 * slot;
        descriptor(head, REQUESTS + slot * REQUEST_STRIDE, (int) readable, SplitDescriptor.FLAG_NEXT, head + 1);
        descriptor(head + 1, REQUESTS + slot * REQUEST_STRIDE + TAIL_OFFSET, (int) RequestTail.SIZE,
                SplitDescriptor.FLAG_WRITE, 0);
        LittleEndian.putU16(ram, AVAILABLE + AvailableRing.RING + ((available + slot) & (RING - 1)) * 2L, head);
    }

    private void descriptor(int index, long offset, int length, int flags, int next) {
        long at = DESCRIPTORS + index * SplitDescriptor.SIZE;
        LittleEndian.putI64(ram, at + SplitDescriptor.ADDR, GPA + offset);
        LittleEndian.putI32(ram, at + SplitDescriptor.LEN, length);
        LittleEndian.putU16(ram, at + SplitDescriptor.FLAGS, flags);
        LittleEndian.putU16(ram, at + SplitDescriptor.NEXT, next);
    }

    private void kick(int count) {
        available = (available + count) & 0xffff;
        LittleEndian.putU16Release(ram, AVAILABLE + AvailableRing.IDX, available);
        long before = System.nanoTime();
        window.write(MmioRegister.QUEUE_NOTIFY, 4, 0);
        deviceNanos += System.nanoTime() - before;
        if (LittleEndian.u16Acquire(ram, USED + UsedRing.IDX) != available) {
            throw new IllegalStateException("used=" + LittleEndian.u16(ram, USED + UsedRing.IDX) + " of " + available);
        }
        for (int slot = 0; slot < count; slot++) {
            int status = LittleEndian.u8(ram, REQUESTS + slot * REQUEST_STRIDE + TAIL_OFFSET);
            if (status != 0) {
                throw new IllegalStateException("status=" + status + " slot=" + slot);
            }
        }
    }

    private void start() {
        put(MmioRegister.STATUS, DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER);
        put(MmioRegister.DRIVER_FEATURES, 1 << IommuFeature.MAP_UNMAP | 1 << FeatureBit.EVENT_IDX);
        put(MmioRegister.DRIVER_FEATURES_SEL, 1);
        put(MmioRegister.DRIVER_FEATURES, 1 << (FeatureBit.VERSION_1 - 32));
        int ready = DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK;
        put(MmioRegister.STATUS, ready);
        put(MmioRegister.QUEUE_SEL, 0);
        put(MmioRegister.QUEUE_SIZE, RING);
        put(MmioRegister.QUEUE_DESC_LOW, (int) (GPA + DESCRIPTORS));
        put(MmioRegister.QUEUE_DRIVER_LOW, (int) (GPA + AVAILABLE));
        put(MmioRegister.QUEUE_DEVICE_LOW, (int) (GPA + USED));
        put(MmioRegister.QUEUE_READY, 1);
        put(MmioRegister.STATUS, ready | DeviceStatus.DRIVER_OK);
        long at = REQUESTS;
        LittleEndian.putI32(ram, at + RequestHead.TYPE, RequestType.ATTACH);
        LittleEndian.putI32(ram, at + AttachRequest.DOMAIN, 1);
        LittleEndian.putI32(ram, at + AttachRequest.ENDPOINT, 8);
        post(0, AttachRequest.SIZE);
        kick(1);
    }

    private void put(long register, int value) {
        window.write(register, 4, value);
    }
}
