// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.vfio;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.virtio4j.os.Descriptor;
import org.virtio4j.os.NativeFailureException;

/** An open {@code /dev/vfio/NUMBER}: devices that the host's IOMMU cannot separate. Any thread may call. */
public final class GroupFile implements AutoCloseable {

    private static final Path FOLDER = Path.of("/dev/vfio");

    private static final long GET_STATUS = VfioCall.REQUESTS + 3;
    private static final long SET_CONTAINER = VfioCall.REQUESTS + 4;
    private static final long UNSET_CONTAINER = VfioCall.REQUESTS + 5;
    private static final long GET_DEVICE_FD = VfioCall.REQUESTS + 6;

    // struct vfio_group_status
    private static final int STATUS_BYTES = 8;
    private static final long FLAGS = 4;
    private static final int FLAG_VIABLE = 1;

    private final Descriptor file;

    private GroupFile(Descriptor file) {
        this.file = file;
    }

    /**
     * Opens a group, which only one process can.
     *
     * @param number of the group
     * @return to be closed
     * @throws NativeFailureException {@code ENOENT} if no device of it is bound to a driver of VFIO, {@code EBUSY} if
     *         another program has it, {@code EACCES} if this process may not have it
     */
    public static GroupFile open(int number) throws NativeFailureException {
        return new GroupFile(VfioCall.open(FOLDER.resolve(Integer.toString(number))));
    }

    /**
     * Whether no device of it is in other hands.
     *
     * @return as of now
     * @throws NativeFailureException if the system refuses to say
     */
    public boolean isViable() throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment status = call.allocate(STATUS_BYTES, Integer.BYTES);
            status.set(ValueLayout.JAVA_INT, 0, STATUS_BYTES);
            int ignored = VfioCall.checked("VFIO_GROUP_GET_STATUS", VfioCall.request(file, GET_STATUS, status));
            return (status.get(ValueLayout.JAVA_INT, FLAGS) & FLAG_VIABLE) != 0;
        }
    }

    /**
     * Puts the group into a container.
     *
     * @param container where its devices are to see memory
     * @throws NativeFailureException if it is in one, or if its IOMMU is another than that of the container
     */
    public void enter(ContainerFile container) throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment number = call.allocateFrom(ValueLayout.JAVA_INT, container.number());
            int ignored = VfioCall.checked("VFIO_GROUP_SET_CONTAINER", VfioCall.request(file, SET_CONTAINER, number));
        }
    }

    /**
     * Takes the group out of its container, after which its devices reach no memory.
     *
     * @throws NativeFailureException {@code EBUSY} while a device of it is open or a region of one is mapped
     */
    public void leave() throws NativeFailureException {
        int ignored = VfioCall.checked("VFIO_GROUP_UNSET_CONTAINER", VfioCall.request(file, UNSET_CONTAINER, 0));
    }

    /**
     * Opens a device of the group, which is in a container.
     *
     * @param name as in {@code /sys}, for PCI such as {@code 0000:00:05.0}
     * @return to be closed
     * @throws NativeFailureException {@code ENODEV} if there is no such device here
     */
    public DeviceFile device(String name) throws NativeFailureException {
        try (Arena call = Arena.ofConfined()) {
            int number = VfioCall.checked("VFIO_GROUP_GET_DEVICE_FD of " + name,
                    VfioCall.request(file, GET_DEVICE_FD, call.allocateFrom(name)));
            return new DeviceFile(new Descriptor(number));
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
