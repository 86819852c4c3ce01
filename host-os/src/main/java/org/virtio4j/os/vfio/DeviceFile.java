// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.vfio;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeFailureException;
import org.virtio4j.os.memory.NativeMemory;

/** An open device of a group. Any thread may call. */
public final class DeviceFile implements AutoCloseable {

    /** The region of a PCI device that is its configuration space. */
    public static final int CONFIG_REGION = 7;

    private static final long GET_INFO = VfioCall.REQUESTS + 7;
    private static final long GET_REGION_INFO = VfioCall.REQUESTS + 8;
    private static final long RESET = VfioCall.REQUESTS + 11;

    // struct vfio_device_info
    private static final int INFO_BYTES = 24;
    private static final long FLAGS = 4;
    private static final int FLAG_RESET = 1;
    private static final int FLAG_PCI = 2;

    // struct vfio_region_info
    private static final int REGION_BYTES = 32;
    private static final long REGION_INDEX = 8;
    private static final long REGION_SIZE = 16;
    private static final long REGION_OFFSET = 24;
    private static final int REGION_MAPPABLE = 4;

    private final Descriptor file;

    DeviceFile(Descriptor file) {
        this.file = file;
    }

    /**
     * A part of a device.
     *
     * @param size     bytes; 0 for one that the device does not have
     * @param offset   where in the device's file it begins
     * @param mappable whether it can be mapped
     */
    public record Region(long size, long offset, boolean mappable) {
    }

    /**
     * Whether this is a function of PCI.
     *
     * @return false for a device of another bus
     * @throws NativeFailureException if the system refuses to say
     */
    public boolean isPci() throws NativeFailureException {
        return (flags() & FLAG_PCI) != 0;
    }

    /**
     * Whether the device can be reset by itself.
     *
     * @return as the system found out
     * @throws NativeFailureException if the system refuses to say
     */
    public boolean canReset() throws NativeFailureException {
        return (flags() & FLAG_RESET) != 0;
    }

    private int flags() throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment info = call.allocate(INFO_BYTES, Long.BYTES);
            info.set(ValueLayout.JAVA_INT, 0, INFO_BYTES);
            int ignored = VfioCall.checked("VFIO_DEVICE_GET_INFO", VfioCall.request(file, GET_INFO, info));
            return info.get(ValueLayout.JAVA_INT, FLAGS);
        }
    }

    /**
     * Where a region lies.
     *
     * @param index 0 to 5 are the BARs of a PCI device, 6 its ROM, {@link #CONFIG_REGION} its configuration space
     * @return its place
     * @throws NativeFailureException {@code EINVAL} if there is none of this number
     */
    public Region region(int index) throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment info = call.allocate(REGION_BYTES, Long.BYTES);
            info.set(ValueLayout.JAVA_INT, 0, REGION_BYTES);
            info.set(ValueLayout.JAVA_INT, REGION_INDEX, index);
            int ignored = VfioCall.checked("VFIO_DEVICE_GET_REGION_INFO of region " + index,
                    VfioCall.request(file, GET_REGION_INFO, info));
            return new Region(info.get(ValueLayout.JAVA_LONG, REGION_SIZE),
                    info.get(ValueLayout.JAVA_LONG, REGION_OFFSET),
                    (info.get(ValueLayout.JAVA_INT, FLAGS) & REGION_MAPPABLE) != 0);
        }
    }

    /**
     * Reads from a region.
     *
     * @param offset in the file: that of the region, and that in it
     * @param width  1, 2, 4 or 8 bytes
     * @return the value
     * @throws NativeFailureException if the device has nothing there
     */
    public long read(long offset, int width) throws NativeFailureException {
        return VfioCall.read(file, offset, width);
    }

    /**
     * Writes to a region.
     *
     * @param offset in the file: that of the region, and that in it
     * @param width  1, 2, 4 or 8 bytes
     * @param value  its low bytes count
     * @throws NativeFailureException if the device has nothing there
     */
    public void write(long offset, int width, long value) throws NativeFailureException {
        VfioCall.write(file, offset, width, value);
    }

    /**
     * Maps a whole region. The device's file stays open until that is unmapped, also after {@link #close}.
     *
     * @param region a mappable one
     * @param arena  its close unmaps
     * @return registers of the device
     * @throws NativeFailureException if the system refuses
     */
    public MemorySegment map(Region region, Arena arena) throws NativeFailureException {
        if (!file.begin()) {
            throw new NativeFailureException("mmap of a device that was closed", Errno.EBADF);
        }
        try {
            return NativeMemory.mapShared(file, region.offset(), region.size(), true, arena);
        } finally {
            file.end();
        }
    }

    /**
     * Resets the device.
     *
     * @throws NativeFailureException if it cannot be, or did not end in time
     */
    public void reset() throws NativeFailureException {
        int ignored = VfioCall.checked("VFIO_DEVICE_RESET", VfioCall.request(file, RESET, 0));
    }

    @Override
    public void close() {
        file.close();
    }
}
