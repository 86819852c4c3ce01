// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import java.util.ArrayList;
import java.util.List;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.pci.PciOptions;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.MachinePlan;

/** What differs for devices behind root ports, which are plugged and unplugged while the guest runs. */
final class PortPlaces {

    private static final int LAST_OF_BUS = 0xff;

    private PortPlaces() {
    }

    /**
     * Who is behind the IOMMU. The guest reads it once, at its start, so a root port's whole bus is in it before there
     * is a device.
     */
    static Topology topology(MachinePlan plan) {
        List<DevicePlan> translated = plan.devices().stream().filter(DevicePlan::translated).toList();
        IommuScope scope = IommuScope.of(plan.iommu().address(), translated.stream()
                .filter(device -> device.port().isEmpty()).map(DevicePlan::address).toList());
        for (DevicePlan device : translated) {
            if (device.port().isPresent()) {
                int first = new PciAddress(device.address().bus(), 0, 0).bdf();
                scope = scope.with(new PciRange(0, first, first + LAST_OF_BUS, first));
            }
        }
        return Topology.of(scope);
    }

    /** QEMU 11.1 aborts when a function with MSI-X is unplugged. */
    static PciOptions options(DevicePlan device) {
        return device.port().isEmpty() ? PciOptions.DEFAULT : PciOptions.DEFAULT.behindPort().withoutMessages();
    }

    static List<String> lines(MachinePlan plan, List<ServedFunction> functions) {
        List<String> lines = new ArrayList<>();
        for (DevicePlan device : plan.devices()) {
            if (device.port().isPresent()) {
                functions.stream().filter(function -> function.address().equals(device.address())).forEach(function -> {
                    lines.add(QemuArguments.plug(device.name(), device.port().get(), function.socket().path()));
                    lines.add(QemuArguments.unplug(device.name()));
                });
            }
        }
        return lines;
    }
}
