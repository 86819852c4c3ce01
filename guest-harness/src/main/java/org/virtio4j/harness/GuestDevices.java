// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.io.IOException;
import java.util.List;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.RunFolder;

/** IOMMU, disk and entropy source of one guest, from before QEMU starts to after it has ended. */
public interface GuestDevices extends AutoCloseable {

    /** Begins to serve devices for a guest that is about to be started. */
    @FunctionalInterface
    interface Server {

        /**
         * Makes devices ready.
         *
         * @param folder for their sockets; it has the file that is to be the disk
         * @param options what kind of guest it will be
         * @param qemu what will run it
         * @return devices that the guest's run closes
         * @throws IOException if this machine refuses to do its part
         */
        GuestDevices serve(RunFolder folder, GuestOptions options, Qemu qemu) throws IOException;
    }

    /**
     * Options that Linux needs to work with them.
     *
     * @return words for the kernel's command line, each with a blank before it
     */
    default String kernelOptions() {
        return "";
    }

    /**
     * Adds their places to a command line of QEMU.
     *
     * @param command to be added to
     * @param folder for files that QEMU reads
     * @throws IOException if such a file cannot be written
     */
    void addTo(QemuCommand command, RunFolder folder) throws IOException;

    /** Makes an endpoint access an address that is not mapped for it. */
    void strayDma();

    /**
     * Plugs the device that the guest waits for.
     *
     * @throws IOException if QEMU refuses
     */
    default void plug() throws IOException {
        throw new IOException("there is no device to plug");
    }

    /**
     * Unplugs it, and returns when it is gone.
     *
     * @throws IOException if QEMU refuses, or the guest keeps the device
     */
    default void unplug() throws IOException {
        throw new IOException("there is no device to unplug");
    }

    /**
     * What the user should be told at once. Asked again and again while QEMU runs.
     *
     * @return lines since the last call
     */
    default List<String> notices() {
        return List.of();
    }

    /**
     * What they have seen. QEMU has ended.
     *
     * @return lines for the user
     */
    List<String> report();

    /** Frees everything they use. QEMU has ended. */
    @Override
    void close() throws IOException;
}
