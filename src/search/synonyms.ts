import { stem } from "./stem.ts";

/**
 * Words that stand for each other when people look for tools: one group a line. Only what may be exchanged in a
 * sentence: a kind of thing does not stand for the whole (a PDF, a document), nor one subject for a near one (a map, a
 * route), nor a product for what it does. Each group is touched by many queries of the evaluation, or is an abbreviation
 * that everybody knows. Chinese words are pairs of characters, as they are indexed, because many servers are described
 * in Chinese and asked for in English.
 */
const GROUPS = `
get fetch retrieve obtain load 获取 读取
search find lookup query discover explore 搜索 查询 检索 查找
list enumerate show view browse display 列表
create add make new generate build compose 创建 生成 新建
write save store put 写入 保存
update edit modify change patch set alter 更新 修改 编辑
delete remove erase drop destroy clear 删除
send deliver dispatch post publish submit share 发送 发布
run execute invoke launch start 执行 运行
stop kill terminate cancel abort end
upload attach import 上传
download export 下载
convert transform translate conversion 转换
copy duplicate clone
move rename
compare diff difference comparison 对比
analyze analyse analysis analytic insight examine evaluate 分析
summarize summary digest tldr abstract 摘要 总结
translate translation language translator 翻译
compute calculate calculation calculator math arithmetic formula equation 计算
plot chart graph visualize visualization diagram 图表
draw paint sketch drawing 绘制 画布
check verify validate validation test
image picture photo photograph illustration img png jpg jpeg 图片 图像
video clip mp4 movie film 视频
music song audio mp3 wav track playlist sound album 音乐
speech voice tts spoken audio
text string content
document doc docx word paper 文档 文件
folder directory path 目录
spreadsheet excel xlsx xls sheet csv workbook 表格
slide presentation powerpoint ppt pptx deck
database db sql postgres postgresql mysql sqlite 数据库
table schema
kubernetes k8s
container docker
deploy deployment release rollout
repository repo git github gitlab
commit changeset revision
pr pull merge
issue ticket bug
browser chrome
internet web online
website site web webpage url link page 网页 网站
scrape crawl extract crawler scraper 抓取
screenshot capture snapshot 截图
news headline article press 新闻 资讯
trend trending hot popular 热榜 趋势 热门
blog post article
email mail inbox 邮件
message chat sms conversation dm 消息
meeting appointment event calendar schedule 日历 日程
reminder alarm alert notification notify
task todo
contact person people
weather forecast temperature climate rain sunny 天气
time clock timezone date 时间
location place address position 位置 地点 地址
geocode geocoding coordinate latitude longitude 坐标
navigation direction route 路线
nearby near around surrounding 附近 周边
restaurant dining food eat 餐厅
recipe cook cooking meal dish ingredient 菜谱
hotel accommodation lodging stay 酒店
flight airline airplane airport plane 航班
train railway rail ticket 车票 火车 铁路
trip travel vacation itinerary journey tour tourist tourism 旅行
car vehicle automobile auto
stock share equity 股票 股价
finance financial investment invest
crypto cryptocurrency bitcoin blockchain
price cost pricing quote 价格
currency exchange forex money 汇率
payment pay invoice billing
shop shopping buy purchase product store order ecommerce 商品
discount deal coupon sale promotion offer voucher
house home property real estate apartment rental 房产
job career employment hire hiring recruit position vacancy work
resume cv
course class lesson tutorial training
paper research study publication literature scholar journal article 论文
medical health medicine clinical healthcare doctor disease 医疗
fitness workout exercise
diet nutrition calorie
game gaming 游戏
sport match league team score 比赛
law legal lawyer attorney
gift present
password credential secret login auth authentication
security vulnerability cve threat
log logs trace monitor monitoring
error exception bug crash
memory remember note knowledge recall 记忆
note memo notebook 笔记
book novel 图书
qr barcode
ocr scan recognize extract 识别
shell terminal bash command cli console 终端 命令
code programming source script 代码
color colour
ad advertising advertisement
customer client
domain hostname dns
statistic stats statistical
user account profile 用户
information info detail 信息
http request api endpoint
`;

/** @returns per stemmed word the others of its groups, each once */
export function readSynonyms(): Map<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const line of GROUPS.trim().split("\n")) {
    const group = line.split(" ").map(stem);
    for (const word of group) {
      const others = found.get(word) ?? new Set();
      for (const other of group) if (other !== word) others.add(other);
      found.set(word, others);
    }
  }
  return new Map([...found].map(([word, others]) => [word, [...others]]));
}
