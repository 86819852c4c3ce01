// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.plan.Board;
import org.virtio4j.serving.plan.BoardPlan;

class QemuArgumentsTest {

    @Test
    void shouldShareMemoryWithServers() {
        assertEquals(List.of("-m", "512M", "-object", "memory-backend-memfd,id=memory,size=512M,share=on"),
                new QemuArguments().memory(512).words());
    }

    @Test
    void shouldDoubleCommasInNamesOfFiles() {
        assertEquals(List.of("-m", "512M", "-object",
                "memory-backend-file,id=memory,size=512M,share=on,mem-path=/a,,b/memory"),
                new QemuArguments().memory(512, Path.of("/a,b/memory")).words());
    }

    @Test
    void shouldNameServedFunctionsInJson() {
        assertEquals(List.of("-device", "{\"driver\":\"vfio-user-pci\",\"addr\":\"a.0\","
                + "\"socket\":{\"type\":\"unix\",\"path\":\"/s/\\\"disk\\\".sock\"}}"),
                new QemuArguments().served(PciAddress.of("00:0a.0"), Path.of("/s/\"disk\".sock")).words());
    }

    @Test
    void shouldPlugBehindRootPorts() {
        PciAddress port = PciAddress.of("00:10.0");
        assertEquals(List.of("-device", "pcie-root-port,id=port-10.0,bus=pcie.0,addr=10.0,chassis=1,slot=1"),
                new QemuArguments().rootPort(port, 1).words());
        assertEquals("{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"vfio-user-pci\",\"id\":\"disk\","
                + "\"bus\":\"port-10.0\",\"socket\":{\"type\":\"unix\",\"path\":\"/s/disk.sock\"}}}",
                QemuArguments.plug("disk", port, Path.of("/s/disk.sock")));
        assertEquals("{\"execute\":\"device_del\",\"arguments\":{\"id\":\"disk\"}}", QemuArguments.unplug("disk"));
    }

    @Test
    void shouldNumberFunctionsOfMainframes() {
        assertEquals(List.of("-device", "zpci,uid=2,fid=2,target=function2",
                "-device", "{\"driver\":\"vfio-user-pci\",\"id\":\"function2\","
                        + "\"socket\":{\"type\":\"unix\",\"path\":\"/s/disk.sock\"}}"),
                new QemuArguments().servedToS390x(2, Path.of("/s/disk.sock")).words());
    }

    @Test
    void shouldRefuseOtherBuses() {
        PciAddress elsewhere = PciAddress.of("01:08.0");
        assertThrows(IllegalArgumentException.class,
                () -> new QemuArguments().served(elsewhere, Path.of("/s/disk.sock")));
    }

    @Test
    void shouldNameProcessorsAsFarAsThePlanDoes() {
        assertEquals(List.of(), new QemuArguments().processors(BoardPlan.PC).words());
        assertEquals(List.of("-cpu", "max,sve=off", "-smp", "4"),
                new QemuArguments().processors(BoardPlan.of(Board.VIRT_ITS).withProcessors("max,sve=off", 4)).words());
    }

    @Test
    void shouldNameTheTreeAsItIs() {
        assertEquals(List.of("-dtb", "/a,b/tree"), new QemuArguments().tree(Path.of("/a,b/tree")).words());
    }

    @Test
    void shouldQuoteForShells() {
        assertEquals("""
                  -machine q35,memory-backend=memory \\
                  -acpitable 'sig=VIOT,rev=0,oem_id=VIRTIO,oem_table_id=VIRTIO4J,data=/it'\\''s here/viot'
                """, new QemuArguments().machine("q35").viot(Path.of("/it's here/viot")).shell());
    }
}
