//! Which simplified character a traditional one is written as.
//!
//! A small table of characters common in public administration, so that 電子政務 and 电子政务 meet. It must never be
//! used to show text: it is many-to-one and loses what the author wrote.

use std::{collections::BTreeMap, sync::LazyLock};

/// Traditional and simplified by turns.
const PAIRS: &str = "\
後后係系繫系於于麼么這这\
電电務务實实踐践國国際际數数據据開开發发資资訊讯網网絡络線线區区縣县鄉乡鎮镇門门戶户與与專专業业東东絲丝丟丢兩两嚴严喪丧\
個个豐丰臨临為为麗丽舉举義义烏乌樂乐習习書书買买亂乱爭争虧亏雲云亞亚產产畝亩親亲億亿僅仅從从倉仓儀仪們们價价眾众優优會会\
傘伞偉伟傳传傷伤倫伦偽伪側侧偵侦儲储債债傾倾償偿兒儿黨党蘭兰關关興兴養养獸兽內内岡冈冊册寫写軍军農农馮冯沖冲決决況况凍冻\
淨净準准涼凉減减湊凑幾几鳳凤憑凭凱凯擊击鑿凿劉刘則则剛刚創创刪删別别劑剂劃划劇剧勸劝辦办動动勵励勁劲勞劳勢势勳勋勻匀匯汇\
醫医華华協协單单賣卖盧卢衛卫卻却廠厂廳厅歷历厲厉壓压廁厕縮缩參参雙双變变敘叙葉叶號号嘆叹嚇吓嗎吗啟启員员聽听啞哑響响喚唤\
嘗尝團团園园圍围圖图圓圆聖圣場场壞坏塊块堅坚壇坛墳坟墜坠壟垄牆墙壯壮聲声殼壳壺壶處处備备復复夠够頭头誇夸夾夹奪夺獎奖奧奥\
婦妇媽妈嬰婴孫孙學学寧宁寶宝寵宠審审憲宪宮宫寬宽賓宾寢寝對对尋寻導导將将爾尔塵尘堯尧盡尽層层屬属嶼屿歲岁豈岂島岛嶺岭嶽岳\
峽峡鞏巩幣币帥帅師师帳帐幟帜帶带幫帮幹干並并莊庄慶庆廬庐庫库應应廟庙廢废廣广異异棄弃張张彈弹強强歸归當当錄录徹彻徑径憶忆\
憂忧懷怀態态總总惡恶懸悬驚惊懼惧慘惨慣惯憤愤願愿懶懒戲戏戰战執执擴扩掃扫揚扬擾扰撫抚拋抛搶抢護护報报擔担擬拟擁拥擇择掛挂\
摯挚撓挠擋挡擠挤揮挥損损換换搗捣攤摊攝摄擺摆搖摇攜携敵敌斂敛齋斋鬥斗斬斩斷断無无舊旧時时曠旷曆历顯显晉晋曬晒曉晓暫暂術术\
機机殺杀雜杂權权條条來来楊杨極极構构槍枪楓枫櫃柜標标棧栈棟栋欄栏樹树樣样橋桥檔档檢检樓楼橫横歐欧歡欢殘残毀毁畢毕氣气漢汉\
湯汤溝沟沒没滬沪淚泪潔洁灑洒淺浅漿浆測测濟济渾浑濃浓塗涂濤涛漲涨滲渗溫温灣湾濕湿滅灭燈灯靈灵災灾爐炉點点煉炼熱热煙烟煩烦\
燒烧營营愛爱爺爷牽牵犧牺狀状猶犹獨独獄狱獲获環环現现瑪玛瓊琼畫画暢畅療疗癥症監监蓋盖盤盘著着睏困矯矫礦矿碼码磚砖礎础確确\
禮礼禍祸離离種种積积稱称穩稳窮穷竊窃競竞筆笔筍笋築筑篩筛簽签簡简籌筹籤签類类糧粮緊紧紅红約约級级紀纪純纯紙纸納纳紛纷紡纺\
組组細细織织終终紹绍經经結结給给統统絕绝繼继續续維维綠绿緒绪綜综編编緣缘練练縱纵績绩繞绕繪绘罰罚羅罗職职聯联聰聪腦脑腳脚\
臟脏艦舰藝艺節节蘇苏範范莖茎薦荐藍蓝蔣蒋藥药蘋苹虛虚蟲虫補补裝装製制複复褲裤見见觀观規规視视覽览覺觉觸触計计訂订認认討讨\
讓让訓训議议記记講讲許许論论設设訪访證证評评識识訴诉診诊詞词譯译試试詩诗誠诚話话該该詳详語语誤误誘诱說说請请諸诸諾诺讀读\
課课調调談谈謀谋諮谘謂谓謝谢貝贝負负財财責责賢贤敗败貨货質质販贩貧贫購购貫贯貿贸費费賀贺賊贼賦赋賞赏賴赖贈赠贊赞趙赵趨趋\
躍跃車车軌轨軟软轉转輪轮輕轻載载較较輔辅輛辆輸输邊边達达遷迁過过運运還还進进遠远違违連连遲迟適适選选遞递遺遗郵邮鄰邻鄭郑\
釋释針针鐘钟鋼钢錢钱鐵铁銀银銷销鎖锁錯错鍵键鏈链鑑鉴鑒鉴長长間间閱阅閉闭問问閒闲闆板隊队陽阳陰阴階阶隨随險险隱隐難难雞鸡\
霧雾靜静頁页項项順顺須须預预領领頻频題题額额風风飛飞飯饭飲饮館馆馬马駐驻騎骑驗验驅驱體体髮发魚鱼鳥鸟鹽盐麥麦黃黄齊齐齒齿\
齡龄龍龙龜龟遙遥貢贡獻献綱纲紋纹徵征裡里裏里臺台衝冲併并佈布週周";

/// The simplified form, or the character itself.
pub(super) fn simplified(c: char) -> char {
    TABLE.get(&c).copied().unwrap_or(c)
}

static TABLE: LazyLock<BTreeMap<char, char>> = LazyLock::new(|| {
    let chars: Vec<char> = PAIRS.chars().collect();
    chars.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_whole_and_simplifying_twice_changes_nothing_more() {
        assert_eq!(PAIRS.chars().count() % 2, 0);
        for (traditional, simple) in TABLE.iter() {
            assert_eq!(simplified(*simple), *simple, "{traditional} -> {simple}");
        }
        let pairs: Vec<char> = PAIRS.chars().collect();
        for pair in pairs.chunks_exact(2) {
            assert_eq!(simplified(pair[0]), pair[1], "{} is listed twice", pair[0]);
        }
    }

    #[test]
    fn common_words_of_both_scripts_meet() {
        for (traditional, simple) in [
            ("電子政務", "电子政务"),
            ("實踐", "实践"),
            ("開放數據", "开放数据"),
            ("資訊網絡", "资讯网络"),
            ("城市規劃", "城市规划"),
            ("環境衛生", "环境卫生"),
        ] {
            assert_eq!(traditional.chars().map(simplified).collect::<String>(), simple);
        }
    }
}
