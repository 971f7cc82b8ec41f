"""What the commonest Chinese words of tool descriptions and tasks mean, one English word or two."""

from __future__ import annotations

_TABLE = """
搜索 search|查询 search query|查找 find search|检索 search|获取 get|读取 read|写入 write
创建 create|新建 create|生成 generate|添加 add|增加 add|删除 delete|移除 remove|更新 update
修改 edit update|编辑 edit|保存 save|下载 download|上传 upload|发送 send|转换 convert
翻译 translate|计算 calculate|分析 analysis|总结 summary|摘要 summary|推荐 recommend|比较 compare
对比 compare|导出 export|导入 import|执行 execute run|运行 run|列出 list|列表 list|详情 detail
详细 detail|信息 info|文件 file|目录 directory|文件夹 folder|路径 path|文档 document|表格 table
工作表 sheet|电子表格 spreadsheet|幻灯片 slide presentation|演示 presentation|图片 image picture
图像 image|照片 photo|视频 video|音频 audio|音乐 music|歌曲 song|歌词 lyrics
字幕 subtitle transcript|图表 chart|地图 map|代码 code|时间 time|日期 date|当前 current|今天 today
明天 tomorrow|昨天 yesterday|时区 timezone|日历 calendar|黄历 almanac calendar auspicious
农历 lunar calendar|公历 gregorian solar calendar|阳历 gregorian solar|八字 bazi fortune birth
生辰 birth|节日 festival holiday|天气 weather|天气预报 weather forecast|温度 temperature
空气质量 air quality|新闻 news|资讯 news|快讯 news|热搜 trending|热榜 trending
热门 trending popular|热点 trending|排行榜 rank ranking|排行 rank|榜单 rank list|趋势 trend
话题 topic|社会 social society|娱乐 entertainment|体育 sports|科技 technology|技术 technology
数码 digital gadget|财经 finance|经济 economy|政治 politics|时政 politics|国际 international
商业 business|创业 startup|投资 investment|融资 funding|股票 stock|基金 fund|价格 price
行情 market price|汇率 exchange rate|货币 currency|金融 finance|银行 bank|公司 company
企业 company enterprise|财报 financial report|游戏 game gaming|玩家 player gaming|角色 character
技能 skill|攻略 guide strategy build|装备 equipment|卡牌 card|效果 effect|英雄 hero|比赛 match
动画 animation|动漫 anime|电影 movie film|电视剧 tv series|综艺 variety show|图书 book|书籍 book
小说 novel|阅读 reading|评分 rating|评论 comment review|购物 shopping|商品 product goods
优惠 discount deal cheap|消费 consumer|值得买 worth buying deal|产品 product|评测 review
攻略 guide|发布 release|苹果 apple|手机 phone|电脑 computer|硬件 hardware|菜谱 recipe|食谱 recipe
菜品 dish|食材 ingredient|早餐 breakfast|饮品 drink|甜品 dessert|膳食 meal|忌口 avoid food
过敏 allergy|过敏原 allergy|人数 people|吃什么 eat meal dish|购物清单 shopping list|美食 food
餐厅 restaurant|酒店 hotel|民宿 homestay|旅游 travel trip|旅行 travel trip|景点 attraction
机票 flight ticket|航班 flight|火车 train rail|高铁 train rail|列车 train|车票 train ticket
余票 ticket|中转 transfer interline|车站 station|火车站 train station|经停 stop route
出发 departure|到达 arrival|城市 city|地址 address|位置 location|附近 nearby|路线 route
导航 navigation route|距离 distance|停车 parking|地铁 subway|公交 bus|网页 web page|网站 website
链接 link url|浏览器 browser|必应 bing|百度 baidu|微博 weibo social|知乎 zhihu
抖音 douyin tiktok video|哔哩哔哩 bilibili video|豆瓣 douban|头条 headline|文章 article|博客 blog
论文 paper|学术 academic|百科 encyclopedia|教程 tutorial|指南 guide|组件 component
接口 api interface|示例 example|更新日志 changelog|版本 version|依赖 dependency|前端 frontend
后端 backend|开发 develop|开发者 developer|软件 software|架构 architecture|云计算 cloud
人工智能 ai|用户 user|任务 task|项目 project|笔记 note|记忆 memory|日志 log|数据 data
数据库 database|消息 message|邮件 email|聊天 chat|会议 meeting|联系人 contact|密码 password
健康 health|医疗 medical|教育 education|文化 culture|艺术 art|科学 science|自然 nature
历史 history|效率 productivity|生活 life|工具 tool|二维码 qrcode|随机 random|单位 unit|长度 length
重量 weight|面积 area|天 day|周 week|月 month|年 year
"""


def _meanings() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in _TABLE.replace("\n", "|").split("|"):
        word, _, english = entry.partition(" ")
        if len(word) > 1:
            found.setdefault(word, tuple(english.split()))
    return found


MEANINGS = _meanings()
LONGEST = max(map(len, MEANINGS))
