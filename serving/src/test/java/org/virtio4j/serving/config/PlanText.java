// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.endpoint.VirtioConsole;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.wire.block.BlockConfig;
import org.virtio4j.wire.console.ConsoleConfig;
import org.virtio4j.wire.iommu.IommuConfig;

/** All of a plan that can be seen, as text: two plans are the same if their texts are. */
final class PlanText {

    private PlanText() {
    }

    static String of(List<MachinePlan> plans) throws IOException {
        List<String> texts = new ArrayList<>();
        for (MachinePlan plan : plans) {
            texts.add(of(plan));
        }
        return String.join("\n", texts);
    }

    private static String of(MachinePlan plan) throws IOException {
        VirtioIommu iommu = plan.iommu().builder().build();
        StringBuilder text = new StringBuilder(plan.name() + " " + plan.folder() + " " + plan.board() + " "
                + plan.memory() + " " + plan.iommu().address() + " " + plan.iommu().polling() + " ")
                .append(device(iommu))
                .append(config(iommu, (int) IommuConfig.SIZE));
        for (DevicePlan device : plan.devices()) {
            text.append('\n').append(device.name()).append(' ').append(device.address()).append(' ')
                    .append(device.translated()).append(' ').append(device.reserved()).append(' ')
                    .append(device.polling()).append(' ').append(device.port()).append(' ').append(made(device));
        }
        return text.toString();
    }

    private static String made(DevicePlan plan) throws IOException {
        VirtioDevice device = plan.maker().make();
        if (device instanceof VirtioBlock disk) {
            try (disk) {
                return device(disk) + config(disk, (int) BlockConfig.SIZE);
            }
        }
        if (device instanceof VirtioConsole console) {
            try (console) {
                return device(console) + config(console, (int) ConsoleConfig.SIZE);
            }
        }
        return device(device);
    }

    private static String device(VirtioDevice device) {
        return device.info() + " " + device.offered() + " " + device.isPolled() + " ";
    }

    private static String config(VirtioDevice device, int bytes) {
        return IntStream.range(0, bytes)
                .mapToObj(at -> Long.toHexString(device.readConfig(at, 1))).collect(Collectors.joining(" "));
    }
}
