// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.virtio4j.harness.qemu.QemuCommand;
import org.virtio4j.harness.qemu.QmpSession;
import org.virtio4j.harness.qemu.RunFolder;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.QemuArguments;
import org.virtio4j.serving.plan.DevicePlan;

/** Plugs a disk behind a root port, and unplugs it, while the guest runs. One thread at a time. */
public final class DiskPlugger implements AutoCloseable {

    /** The disk's function, when it is there. */
    public static final PciAddress FUNCTION = PciAddress.of("01:00.0");

    private static final PciAddress PORT = PciAddress.of("00:10.0");
    private static final String NAME = "plugged";
    /** The guest may be busy, and each of its processors slow. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path qmp;
    private final Path socket;
    private @Nullable QmpSession session;

    /**
     * Prepares a disk that is not there yet.
     *
     * @param folder with the sockets of the run
     */
    public DiskPlugger(RunFolder folder) {
        qmp = folder.path("qmp.sock");
        socket = folder.path(NAME + ".sock");
    }

    /**
     * What the machine is to have.
     *
     * @param reserved what the disk's driver may not map
     * @param maker makes the disk, which stays the same each time that it is plugged
     * @return a plan for one device
     */
    public static DevicePlan plan(ReservedRegions reserved, DevicePlan.DeviceMaker maker) {
        return new DevicePlan(NAME, PORT, true, reserved, maker).pluggedAt(PORT, FUNCTION.bus());
    }

    /**
     * Has QEMU take commands.
     *
     * @param command to be added to
     */
    public void addTo(QemuCommand command) {
        command.qmp(qmp);
    }

    /**
     * Plugs the disk.
     *
     * @throws IOException if QEMU refuses
     */
    public void plug() throws IOException {
        session().execute(QemuArguments.plug(NAME, PORT, socket));
    }

    /**
     * Unplugs the disk, and returns when the guest has given it back and QEMU has let go of it.
     *
     * @throws IOException if QEMU refuses, or the guest keeps the disk for a minute
     */
    public void unplug() throws IOException {
        session().execute(QemuArguments.unplug(NAME));
        session().awaitDeleted(NAME);
    }

    private QmpSession session() throws IOException {
        if (session == null) {
            session = QmpSession.connect(qmp, PATIENCE);
        }
        return session;
    }

    @Override
    public void close() throws IOException {
        if (session != null) {
            session.close();
        }
    }
}
