//! What Beijing tells: one portal for all departments, and a city looked after square by square. Facts only.

use wego_proto::record::v1::Stage;

use super::{key, tale::Tale};
use crate::demo::cities::Founder;

pub(super) fn tales() -> Vec<Tale> {
    vec![portal(), grid()]
}

fn portal() -> Tale {
    Tale::new(Founder::Beijing, "beijing-portal", Stage::Scaled, 1998)
        .office("北京市人民政府", "首都之窗")
        .topics(&["public-services", "open-government"])
        .title(&[
            ("zh-Hans", "首都之窗：北京市政府的统一门户"),
            ("en", "Shoudu zhi chuang (Window of the Capital): one portal for Beijing's government"),
        ])
        .summary(&[
            ("zh-Hans", "自1998年起，各部门的信息和办事指南集中在一个网站，另有面向外国人的英文网站。"),
            ("en", "Since 1998 one website brings together what the departments offer; eBeijing serves readers of English."),
        ])
        .problem(&[
            ("zh-Hans", "各部门各自建站，市民不知道该去哪里查找。"),
            ("en", "Each department built a site of its own, and people did not know where to look."),
        ])
        .approach(&[
            ("zh-Hans", "建立统一的门户和栏目规范，各部门在其下维护自己的内容。"),
            ("en", "A common portal with common rules, under which each department maintains its own pages."),
        ])
        .results(&[
            ("zh-Hans", "市民可以从一个入口查到政策、办事指南并提出意见。"),
            ("en", "From one entrance people find rules and guides, and can say what they think."),
        ])
        .what_failed(&[
            ("zh-Hans", "只有目录而不能办事的栏目很少有人使用。"),
            ("en", "Sections that only listed services, without letting people use them, were hardly visited."),
        ])
        .conditions(&[
            ("zh-Hans", "统一的规范，以及对内容更新的定期检查。"),
            ("en", "Common rules, and a regular look at whether the contents are current."),
        ])
}

fn grid() -> Tale {
    Tale::new(Founder::Beijing, key::GRID, Stage::Scaled, 2004)
        .later()
        .office("北京市东城区", "城市管理监督中心")
        .topics(&["ucity-facilities", "ucity-administration", "mobile"])
        .title(&[
            ("zh-Hans", "网格化城市管理：从东城区开始"),
            ("en", "Grid management: a city looked after square by square, begun in Dongcheng"),
        ])
        .summary(&[
            ("zh-Hans", "2004年起，把城区划分为网格，监督员用手机上报问题，由专门部门派单并核查。"),
            ("en", "Since 2004 the district is divided into squares; inspectors report problems from a handset, a centre follows up."),
        ])
        .problem(&[
            ("zh-Hans", "井盖、路灯等设施损坏后，往往找不到负责的部门。"),
            ("en", "When a manhole cover or a lamp was broken, it was often unclear which office had to mend it."),
        ])
        .approach(&[
            ("zh-Hans", "给每个设施编码并确定责任单位，发现问题与处理问题由不同的机构负责。"),
            ("en", "Every object has a code and an owner; those who find problems are not those who mend them."),
        ])
        .results(&[
            ("zh-Hans", "问题能够定位、派单、核查，其他城区和城市随后采用了这一做法。"),
            ("en", "Problems are located, assigned and checked; other districts and cities took the method over."),
        ])
        .what_failed(&[
            ("zh-Hans", "设施普查的数据若不更新，很快就与现场不符。"),
            ("en", "The survey of objects soon differs from the street where it is not kept up to date."),
        ])
        .conditions(&[
            ("zh-Hans", "明确的责任划分和独立的监督机构。"),
            ("en", "Clear responsibilities, and inspectors who are independent of those who mend."),
        ])
}
