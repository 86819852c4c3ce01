// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.vfio;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeFailureException;

/**
 * An open {@code /dev/vfio/vfio}: a container, which is one address space of the host's IOMMU. It has an IOMMU from
 * {@link #chooseIommu} on, which needs a group in it. Any thread may call; calls that map and unmap go one by one.
 */
public final class ContainerFile implements AutoCloseable {

    private static final Path FILE = Path.of("/dev/vfio/vfio");

    private static final long GET_API_VERSION = VfioCall.REQUESTS;
    private static final long CHECK_EXTENSION = VfioCall.REQUESTS + 1;
    private static final long SET_IOMMU = VfioCall.REQUESTS + 2;
    private static final long GET_INFO = VfioCall.REQUESTS + 12;
    private static final long MAP_DMA = VfioCall.REQUESTS + 13;
    private static final long UNMAP_DMA = VfioCall.REQUESTS + 14;

    /** An IOMMU of type 1 whose unmap takes whole mappings only ({@code VFIO_TYPE1v2_IOMMU}). */
    private static final int TYPE_1_V2 = 3;

    // struct vfio_iommu_type1_dma_map, and dma_unmap, which has no host address.
    private static final int MAP_BYTES = 32;
    private static final long FLAGS = 4;
    private static final long MAP_HOST = 8;
    private static final long MAP_IOVA = 16;
    private static final long MAP_SIZE = 24;
    private static final int FLAG_READ = 1;
    private static final int FLAG_WRITE = 2;
    private static final int UNMAP_BYTES = 24;
    private static final long UNMAP_IOVA = 8;
    private static final long UNMAP_SIZE = 16;

    private final Descriptor file;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment request = arena.allocate(MAP_BYTES, Long.BYTES);
    private boolean closed;

    private ContainerFile(Descriptor file) {
        this.file = file;
    }

    /**
     * Opens a new container, which is empty.
     *
     * @return to be closed
     * @throws NativeFailureException if there is no VFIO, or this process may not use it
     */
    public static ContainerFile open() throws NativeFailureException {
        ContainerFile opened = new ContainerFile(VfioCall.open(FILE));
        int version = VfioCall.request(opened.file, GET_API_VERSION, 0);
        if (version != 0 || VfioCall.request(opened.file, CHECK_EXTENSION, TYPE_1_V2) != 1) {
            opened.close();
            throw new NativeFailureException("VFIO of version " + version + " without an IOMMU of type 1, version 2 "
                    + "(module vfio_iommu_type1)", Errno.EOPNOTSUPP);
        }
        return opened;
    }

    /**
     * Gives the container an IOMMU of type 1.
     *
     * @throws NativeFailureException {@code EPERM} where interrupts of its devices cannot be confined, among others
     */
    public void chooseIommu() throws NativeFailureException {
        int ignored = VfioCall.checked("VFIO_SET_IOMMU", VfioCall.request(file, SET_IOMMU, TYPE_1_V2));
    }

    /**
     * What the IOMMU can do now, with the devices that are in the container.
     *
     * @return as of now
     * @throws NativeFailureException if there is no group in the container
     */
    public IommuInfo info() throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            int size = IommuInfo.BYTES;
            while (true) {
                MemorySegment info = call.allocate(size, Long.BYTES);
                info.set(ValueLayout.JAVA_INT, 0, size);
                int ignored = VfioCall.checked("VFIO_IOMMU_GET_INFO", VfioCall.request(file, GET_INFO, info));
                int needed = info.get(ValueLayout.JAVA_INT, 0);
                if (needed <= size) {
                    return IommuInfo.of(info);
                }
                size = needed;
            }
        }
    }

    /**
     * Maps memory of this process for the devices of the container, and pins it.
     *
     * @param iova     first address for the devices
     * @param host     first address in this process
     * @param size     bytes
     * @param readable whether devices may read
     * @param writable whether devices may write
     * @return 0, or an error number: {@code ENOMEM} when this process may pin no more, {@code ENOSPC} when the
     *         container may have no more mappings
     */
    public synchronized int map(long iova, long host, long size, boolean readable, boolean writable) {
        if (closed) {
            return Errno.EBADF;
        }
        request.set(ValueLayout.JAVA_INT, 0, MAP_BYTES);
        request.set(ValueLayout.JAVA_INT, FLAGS, (readable ? FLAG_READ : 0) | (writable ? FLAG_WRITE : 0));
        request.set(ValueLayout.JAVA_LONG, MAP_HOST, host);
        request.set(ValueLayout.JAVA_LONG, MAP_IOVA, iova);
        request.set(ValueLayout.JAVA_LONG, MAP_SIZE, size);
        return Math.max(0, -VfioCall.request(file, MAP_DMA, request));
    }

    /**
     * Removes all mappings inside a range, which may be none.
     *
     * @param iova first address
     * @param size bytes; no mapping may lie partly inside
     * @return how many bytes were mapped there, or an error number, negative
     */
    public synchronized long unmap(long iova, long size) {
        if (closed) {
            return -Errno.EBADF;
        }
        request.set(ValueLayout.JAVA_INT, 0, UNMAP_BYTES);
        request.set(ValueLayout.JAVA_INT, FLAGS, 0);
        request.set(ValueLayout.JAVA_LONG, UNMAP_IOVA, iova);
        request.set(ValueLayout.JAVA_LONG, UNMAP_SIZE, size);
        int result = VfioCall.request(file, UNMAP_DMA, request);
        return result < 0 ? result : request.get(ValueLayout.JAVA_LONG, UNMAP_SIZE);
    }

    int number() {
        return file.number();
    }

    /** Gives the container up. With the last group out of it, all its mappings go, and the memory is unpinned. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            file.close();
            arena.close();
        }
    }
}
